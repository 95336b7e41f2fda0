package cli

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/words"
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
			return WithHint(Usagef("%s needs a subcommand: %s", cmd.CommandPath(), words.OneOf(names)), "see %s --help", cmd.CommandPath())
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}
