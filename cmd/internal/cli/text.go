package cli

import (
	"fmt"
	"math/big"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

// WithSource says where bad input came from, unless that is "". A nil err stays nil.
func WithSource(source string, err error) error {
	if err == nil || source == "" {
		return err
	}
	return fmt.Errorf("%s: %w", source, err)
}

// FileName is a file's name for WithSource: stdin has none.
func FileName(file string) string {
	if file == "-" {
		return ""
	}
	return file
}

func LastNonce(t *pay.Tickets) uint32 { return t.Nonces.First + t.Nonces.Count - 1 }

// NonceRange is tickets' nonces for a person: nonce 4, or nonces 4 to 7.
func NonceRange(t *pay.Tickets) string {
	if t.Nonces.Count == 1 {
		return fmt.Sprintf("nonce %d", t.Nonces.First)
	}
	return fmt.Sprintf("nonces %d to %d", t.Nonces.First, LastNonce(t))
}

// Overpays is by how much tickets exceed the value that was asked for.
func Overpays(over *big.Rat) string {
	if one := big.NewRat(1, 1); over.Sign() > 0 && over.Cmp(one) < 0 {
		return "less than 1 wei"
	}
	return wei.Format(over)
}

// Group is a noun whose verbs are its subcommands.
func Group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return Usagef("%s needs a subcommand; see %s --help", cmd.Name(), cmd.CommandPath())
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// Plural writes a count with its noun.
func Plural(count, noun string) string {
	if count == "1" {
		return count + " " + noun
	}
	return fmt.Sprintf("%s %ss", count, noun)
}
