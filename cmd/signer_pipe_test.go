//go:build unix

package cmd

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestASignerOutlivesTheReaderOfItsLog: what reads the log, such as tee or a log collector, ends
// or is restarted; requests are answered as before, and a stop is in good order.
func TestASignerOutlivesTheReaderOfItsLog(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	process := exec.CommandContext(t.Context(), "pmctl", "signer", "serve", "--no-auth", "--listen", "127.0.0.1:0", "--log", "json")
	process.Env = append(os.Environ(), "HOME="+filepath.Dir(s.env["XDG_STATE_HOME"]))
	for name, value := range s.env {
		process.Env = append(process.Env, name+"="+value)
	}
	log, err := process.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	t.Cleanup(func() { _ = process.Process.Kill() })
	var ready struct{ Msg, Listen string }
	for lines := bufio.NewScanner(log); ready.Msg != "ready"; {
		require.True(t, lines.Scan(), "the signer ended")
		require.NoError(t, json.Unmarshal(lines.Bytes(), &ready))
	}
	require.NoError(t, log.Close())
	r := &remoteSigner{t: t, url: "http://" + ready.Listen}
	for range 3 { // each of which is a line of the log
		code, body := r.post("/sign-orchestrator-info", "", nil)
		require.Equal(t, http.StatusOK, code, string(body))
	}
	require.NoError(t, process.Process.Signal(syscall.SIGTERM))
	require.NoError(t, process.Wait())
}
