package cli

import (
	"context"
	"regexp"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Asks reports whether a person can be asked for what the command line does not say.
func (r *Run) Asks() bool { return r.InTerminal && !r.Quiet }

// AsksFor reports whether a person is asked before a transaction is sent.
func AsksFor(r *Run, o *TransactOptions) bool {
	return r.Asks() && !o.Send.Agreed && !o.dryRun && !o.unsigned
}

// AskAmount asks for the amount of a flag that is not given; "" is none.
func AskAmount(ctx context.Context, r *Run, label string) (string, error) {
	text, err := r.Prompter.Text(ctx, label+" (such as 0.1eth; empty for none)", func(text string) error {
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
		_, err := wei.Parse(text)
		return err
	})
	return strings.TrimSpace(text), err
}

// AskRecipient asks for a recipient.
func AskRecipient(ctx context.Context, r *Run) (string, error) {
	text, err := r.Prompter.Text(ctx, "Recipient (https://host[:port], host:port or 0xADDRESS)", func(text string) error {
		_, err := pay.ParseTarget(strings.TrimSpace(text))
		return err
	})
	return strings.TrimSpace(text), err
}

// SameAgain tells a person who was asked something which command line asks nothing: the
// flags that were given or answered, and more.
func SameAgain(r *Run, cmd *cobra.Command, args []string, more ...string) {
	if !r.Asks() || !r.ErrTerminal {
		return
	}
	words := strings.Fields(cmd.CommandPath())
	words = append(words, args...)
	cmd.Flags().Visit(func(f *pflag.Flag) {
		name := "--" + f.Name
		switch value := f.Value.(type) {
		case pflag.SliceValue: // its text is not what a flag reads
			for _, one := range value.GetSlice() {
				words = append(words, name, one)
			}
		case interface{ IsBoolFlag() bool }:
			if f.Value.String() != "true" {
				name += "=" + f.Value.String()
			}
			words = append(words, name)
		default:
			words = append(words, name, f.Value.String())
		}
	})
	words = append(words, more...)
	for i, word := range words {
		words[i] = ShellWord(word)
	}
	r.Note("to run this without prompts:\n%s", wrapCommand(words, errWidth(r.Env)))
}

// wrapCommand is a command line in lines that fit into a terminal, and that a shell reads
// as one.
func wrapCommand(words []string, width int) string {
	const indent, goesOn = "  ", " \\"
	var b strings.Builder
	used := 0
	for i, word := range words {
		switch {
		case i == 0:
			used, _ = b.WriteString(indent)
		case used+1+len(word)+len(goesOn) > width:
			b.WriteString(goesOn + "\n")
			used, _ = b.WriteString(indent + indent)
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += len(word)
	}
	return b.String()
}

const harmless = `^[A-Za-z0-9_@%+=:,./-]+$`

// ShellWord is text as a shell reads it as one word.
func ShellWord(text string) string {
	if regexp.MustCompile(harmless).MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Besides is what a command line needs that asks nothing, besides what it has: the
// account that was chosen.
func (o *AccountOptions) Besides(chosen common.Address, more ...string) []string {
	if o.From != "" {
		return more
	}
	return append([]string{"--from", chosen.Hex()}, more...)
}
