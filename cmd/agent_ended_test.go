package cmd

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestAnAgentThatEndsMeanwhile: the agent ends after the command has found it and before it signs.
// Nothing is sent, and the same command works once there is an agent again.
func TestAnAgentThatEndsMeanwhile(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newShell(t, devnet.Config{})
	dir, err := os.MkdirTemp("", "agent") // a test's own folder can be too long for a socket
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	s.env["PMCTL_AGENT"] = filepath.Join(dir, "s")
	start := func() { require.Equal(t, exitDone, s.launch(t.Context(), "agent start").code) }
	t.Cleanup(func() { s.launch(context.Background(), "agent stop") })
	start()

	before := s.deposited()
	const line = "fund --deposit 1eth --yes"
	code, out, said := s.interfered(line, "This adds 1 ETH", func() {
		require.Equal(t, exitDone, s.launch(t.Context(), "agent stop").code)
	})
	require.Equal(t, exitLocked, code)
	require.Empty(t, out)
	require.Contains(t, said.Error.Message, "no agent answers at "+s.env["PMCTL_AGENT"])
	require.Contains(t, said.Error.Hint, "pmctl agent start, and run the command again")
	require.Equal(t, before, s.deposited())

	start()
	s.run(exitDone, line)
	require.Equal(t, before.Add(before, eth(t, "1eth")), s.deposited())
}
