package cmd

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

// TestSoakSessionsByOthers pays a session by a remote signer, and one by an agent: the recipient
// credits exactly what the command says is paid, and the session is stopped.
func TestSoakSessionsByOthers(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string]func(t *testing.T, s *shell) (*shell, string){
		"signer": func(t *testing.T, s *shell) (*shell, string) {
			s.run(exitDone, "signer client add studio")
			keyless := newHome(t, s.net, t.TempDir())
			require.NoError(t, os.RemoveAll(filepath.Join(keyless.env["XDG_DATA_HOME"], "pmctl", "keystore")))
			keyless.env["PMCTL_SIGNER_TOKEN"] = s.run(exitDone, "signer client rotate studio")["token"].(string)
			return keyless, " --signer " + s.serveSigner("").url
		},
		"agent": func(t *testing.T, s *shell) (*shell, string) {
			dir, err := os.MkdirTemp("", "agent") // a test's own folder can be too long for a socket
			require.NoError(t, err)
			t.Cleanup(func() { os.RemoveAll(dir) })
			s.env["PMCTL_AGENT"] = filepath.Join(dir, "s")
			require.Equal(t, exitDone, s.launch(t.Context(), "agent start").code)
			t.Cleanup(func() { require.Equal(t, exitDone, s.launch(context.Background(), "agent stop").code) })
			delete(s.env, "ETH_PASSWORD") // so that the key file cannot be opened
			return s, ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, devnet.Config{Recipients: 1})
			s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
			payer, line := flags(t, s)
			state := s.net.Recipients()[0].State()
			paid := payer.run(exitDone, "call "+state.URL+"/apps/live1/session --for 11s --out "+filepath.Join(t.TempDir(), "answer")+line)
			response, err := http.Get(state.StatusURL)
			require.NoError(t, err)
			defer response.Body.Close()
			var status recipient.Status
			require.NoError(t, json.NewDecoder(response.Body).Decode(&status))
			require.EqualValues(t, 3, paid["payments"])
			require.EqualValues(t, status.Tickets.Credited, paid["tickets"])
			require.EqualValues(t, status.Tickets.Received, paid["tickets"])
			require.Len(t, status.Sessions, 1)
			require.Equal(t, "stopped", string(status.Sessions[0].State))
			require.Equal(t, paid["total_ev_exact"], status.Tickets.Credit.RatString())
		})
	}
}

// TestACallStreams: a body is sent as it comes, and what the app answers is written before the
// body has ended.
func TestACallStreams(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	cmd := exec.CommandContext(t.Context(), "pmctl", "call", s.net.Recipients()[0].State().URL+"/apps/fixed1/app/", "--data-binary", "@-")
	cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(s.env["XDG_STATE_HOME"]))
	for name, value := range s.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	part := make([]byte, len("one"))
	for _, text := range []string{"one", "two"} {
		_, err = io.WriteString(in, text)
		require.NoError(t, err)
		_, err = io.ReadFull(out, part)
		require.NoError(t, err)
		require.Equal(t, text, string(part))
	}
	require.NoError(t, in.Close())
	rest, err := io.ReadAll(out)
	require.NoError(t, err)
	require.Empty(t, rest)
	require.NoError(t, cmd.Wait())
}
