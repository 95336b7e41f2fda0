package cmd

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/cmd/pmctl-documented/documents"
)

// TestSoakJSONLeavesStderrAlone runs each command with --output json: stderr is empty, or has the
// document of one error.
func TestSoakJSONLeavesStderrAlone(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	for _, line := range append(s.everyCommand(), "completion bash") {
		if strings.HasPrefix(line, "help ") || strings.HasPrefix(line, "signer serve ") {
			continue // which have no --output
		}
		t.Run(line, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "pmctl", append(strings.Fields(line), "-o", "json")...)
			cmd.Env = append(cmd.Environ(), "HOME="+s.home, "XDG_DATA_HOME=", "ETH_KEYSTORE=", "ETH_FROM="+s.network.Accounts()[0].Address.Hex(), "ETH_PASSWORD="+s.file("pass"))
			cmd.Env = append(cmd.Env, s.env...)
			cmd.Dir = s.home
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			failed := cmd.Run() != nil
			require.NoError(t, documents.Conform(stdout.Bytes(), true, ""), stdout.String())
			require.True(t, failed || stdout.Len() > 0, "nothing is printed")
			if !failed {
				require.Empty(t, stderr.String())
				return
			}
			require.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
			require.Contains(t, stderr.String(), `{"kind":"pmctl.error","version":2,`)
			require.NoError(t, documents.Conform(stderr.Bytes(), true, ""))
		})
	}
}
