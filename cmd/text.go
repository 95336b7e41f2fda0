package cmd

import (
	"fmt"
	"math/big"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

// withSource says where bad input came from, unless that is "". A nil err stays nil.
func withSource(source string, err error) error {
	if err == nil || source == "" {
		return err
	}
	return fmt.Errorf("%s: %w", source, err)
}

// fileName is a file's name for withSource: stdin has none.
func fileName(file string) string {
	if file == "-" {
		return ""
	}
	return file
}

func lastNonce(t *pay.Tickets) uint32 { return t.Nonces.First + t.Nonces.Count - 1 }

// nonceRange is tickets' nonces for a person: nonce 4, or nonces 4 to 7.
func nonceRange(t *pay.Tickets) string {
	if t.Nonces.Count == 1 {
		return fmt.Sprintf("nonce %d", t.Nonces.First)
	}
	return fmt.Sprintf("nonces %d to %d", t.Nonces.First, lastNonce(t))
}

// overpays is by how much tickets exceed the value that was asked for.
func overpays(over *big.Rat) string {
	if one := big.NewRat(1, 1); over.Sign() > 0 && over.Cmp(one) < 0 {
		return "less than 1 wei"
	}
	return wei.Format(over)
}

// group is a noun whose verbs are its subcommands.
func group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usagef("%s needs a subcommand; see %s --help", cmd.Name(), cmd.CommandPath())
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// plural writes a count with its noun.
func plural(count, noun string) string {
	if count == "1" {
		return count + " " + noun
	}
	return fmt.Sprintf("%s %ss", count, noun)
}
