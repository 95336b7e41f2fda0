package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestASignersNotesAreInItsLog: what is found as the store is opened is a line of JSON, too.
func TestASignersNotesAreInItsLog(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	before, now := filepath.Join(t.TempDir(), "store.db"), filepath.Join(t.TempDir(), "store.db")
	s.env["PMCTL_STORE"] = before
	s.run(exitDone, "signer client add studio --ev-total 1eth --overcommit")
	require.NoError(t, os.Rename(before, now))
	s.env["PMCTL_STORE"] = now
	_, log := s.serveSigner("--no-auth").stop()
	moved := false
	for line := range strings.Lines(log) {
		var said struct{ Level, Msg string }
		require.NoError(t, json.Unmarshal([]byte(line), &said), line)
		if strings.Contains(said.Msg, "was moved, copied or restored") {
			moved = true
			require.Equal(t, "WARN", said.Level)
		}
	}
	require.True(t, moved, log)
}
