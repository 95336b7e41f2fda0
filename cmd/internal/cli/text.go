package cli

import (
	"github.com/spf13/cobra"
)

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
