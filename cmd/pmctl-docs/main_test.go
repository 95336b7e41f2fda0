package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd"
	"github.com/pmctl/pmctl/cmd/internal/cli"
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
		require.Contains(t, string(text), `"1" ""`, "no date, so that a page is the same every day")
	}
	for _, topic := range cli.Topics() {
		require.Contains(t, string(page), "\n## pmctl help "+topic.Name+"\n")
		require.Contains(t, string(page), "- [pmctl help "+topic.Name+"]")
		for _, list := range topic.Lists {
			for _, entry := range list.Entries {
				require.Contains(t, string(page), "\n  "+entry[0])
			}
		}
	}
	require.NoError(t, write(filepath.Join(dir, "again.md"), ""))
	again, err := os.ReadFile(filepath.Join(dir, "again.md"))
	require.NoError(t, err)
	require.Equal(t, string(page), string(again))
}
