package cmd

import (
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd/internal/cli"
)

// TestEveryCommandWritesJSON finds -o json, --jq and --template at every command that does
// something.
func TestEveryCommandWritesJSON(t *testing.T) {
	without := map[string]string{
		"pmctl help":         "prints text for people",
		"pmctl signer serve": "writes a log, with --log json as JSON",
	}
	eachCommand(Tree(), func(command *cobra.Command) {
		path := command.CommandPath()
		if command.HasSubCommands() && path != "pmctl fund" && path != "pmctl unlock" {
			return // a group
		}
		if without[path] != "" {
			require.Nil(t, command.Flags().Lookup("output"), path)
			delete(without, path)
			return
		}
		output := command.Flags().Lookup("output")
		require.NotNil(t, output, path)
		require.Contains(t, output.Value.(*cli.Choice).Allowed, cli.OutputJSON, path)
		require.NotNil(t, command.Flags().Lookup("jq"), path)
		require.NotNil(t, command.Flags().Lookup("template"), path)
	})
	require.Empty(t, without, "no such commands")
}
