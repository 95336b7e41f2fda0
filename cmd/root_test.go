package cmd

import (
	"bytes"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// A command line that begins with a noun has the part of the tree that is under it, with
// which nothing is different.
func TestEachNounIsAsInTheWholeTree(t *testing.T) {
	help := func(command *cobra.Command) string {
		var text bytes.Buffer
		command.SetOut(&text)
		require.NoError(t, command.Help())
		return text.String()
	}
	whole := Tree()
	require.Len(t, whole.Commands(), len(nouns()))
	for _, noun := range nouns() {
		alone := newRoot(&run{Env: &Env{Getenv: func(string) string { return "" }}}, noun.name, "--help")
		require.Len(t, alone.Commands(), 1, noun.name)
		eachCommand(alone, func(command *cobra.Command) {
			if command == alone {
				return
			}
			same, _, err := whole.Find(pathOf(command))
			require.NoError(t, err)
			require.Equal(t, command.CommandPath(), same.CommandPath())
			require.Equal(t, help(same), help(command))
		})
	}
}

// pathOf are the words that lead to a command from its root.
func pathOf(command *cobra.Command) []string {
	if !command.HasParent() {
		return nil
	}
	return append(pathOf(command.Parent()), command.Name())
}

func eachCommand(command *cobra.Command, do func(*cobra.Command)) {
	do(command)
	for _, child := range command.Commands() {
		eachCommand(child, do)
	}
}
