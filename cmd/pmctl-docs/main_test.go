package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd"
)

func TestEveryCommandIsDescribed(t *testing.T) {
	dir := t.TempDir()
	reference, man := filepath.Join(dir, "cli.md"), filepath.Join(dir, "man")
	gone := filepath.Join(man, "pmctl-gone.1")
	require.NoError(t, os.Mkdir(man, 0o755))
	require.NoError(t, os.WriteFile(gone, nil, 0o644))
	require.NoError(t, write(reference, man))
	require.NoFileExists(t, gone, "the page of a command that is no more")

	page, err := os.ReadFile(reference)
	require.NoError(t, err)
	commands := all(cmd.Tree())
	require.Greater(t, len(commands), 20)
	for _, c := range commands {
		require.Contains(t, string(page), "\n## "+c.CommandPath()+"\n")
		text, err := os.ReadFile(filepath.Join(man, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1"))
		require.NoError(t, err)
		require.Contains(t, string(text), roff(c.Short))
		for _, section := range []string{"SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"} {
			require.Contains(t, string(text), ".SH \""+section+"\"\n")
		}
		require.Contains(t, string(text), "usage error")
		require.Contains(t, string(text), "ETH_RPC_URL")
		require.Contains(t, string(text), `"1" ""`, "no date, so that a page is the same every day")
	}
	require.NoError(t, write(filepath.Join(dir, "again.md"), ""))
	again, err := os.ReadFile(filepath.Join(dir, "again.md"))
	require.NoError(t, err)
	require.Equal(t, string(page), string(again))
}

// TestManPages: the first page lists the commands in their groups, and options have the names of
// their values.
func TestManPages(t *testing.T) {
	tree := cmd.Tree()
	page := string(manPage(tree))
	require.Contains(t, page, ".SH \"COMMANDS\"\n.SS \"Pay\"\n.TP\n.B params\n")
	pay, _, err := tree.Find([]string{"pay"})
	require.NoError(t, err)
	require.Contains(t, string(manPage(pay)), ".TP\n\\fB\\-\\-value\\fR \\fIAMOUNT\\fR\n")
	require.Equal(t, "\\&.a\\e\\-\n\\&'b", roff(".a\\-\n'b"))
}
