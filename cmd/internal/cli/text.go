package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// Group is a noun whose verbs are its subcommands.
func Group(use, short string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var names []string
			for _, sub := range cmd.Commands() {
				if sub.IsAvailableCommand() {
					names = append(names, sub.Name())
				}
			}
			return WithHint(Usagef("missing subcommand: %s needs one of %s", cmd.CommandPath(), strings.Join(names, ", ")), "see %s --help", cmd.CommandPath())
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}
