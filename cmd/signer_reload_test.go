package cmd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestASignerReloads: limits of the config file and the auth webhook apply after a reload, all of
// them or none, no client gets past them, and what needs a restart is named.
func TestASignerReloads(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio")["token"].(string)
	home := t.TempDir()
	s.env["XDG_CONFIG_HOME"] = home
	require.NoError(t, os.Mkdir(filepath.Join(home, "pmctl"), 0o700))
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(home, name), []byte(text), 0o600))
	}
	asked := 0
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asked++
		_ = json.NewEncoder(rw).Encode(map[string]int{"status": 200})
	}))
	defer hook.Close()
	write("hook", "http://127.0.0.1:1\n")
	r := s.serveSigner("--admin-listen 127.0.0.1:0 --webhook-file " + filepath.Join(home, "hook"))
	code, _ := r.payOnce(token, s)
	require.Equal(t, http.StatusInternalServerError, code, "the webhook is not there")

	// A file that is not valid changes nothing, of another one neither.
	write("hook", hook.URL+"\n")
	write("pmctl/config.toml", "[limits]\nmax_ticket_ev = \"5\"\n")
	status, body := r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	require.Contains(t, body, "max_ticket_ev")
	code, _ = r.payOnce(token, s)
	require.Equal(t, http.StatusInternalServerError, code, "the webhook is the one from before")
	write("hook", "none\n")
	write("pmctl/config.toml", "[limits]\nmax_ticket_ev = \"1wei\"\n")
	status, body = r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	code, _ = r.payOnce(token, s)
	require.Equal(t, http.StatusInternalServerError, code, "the limit is the one from before")

	write("hook", hook.URL+"\n")
	status, body = r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusOK, status, body)
	require.JSONEq(t, `{"applied":["limits","budgets","webhook-file"],"restart_needed":[]}`, body)
	code, answer := r.payOnce(token, s)
	require.Equal(t, http.StatusBadRequest, code, string(answer))
	require.Contains(t, string(answer), "above the limit of 1 wei")

	write("pmctl/config.toml", "store = \"postgres://a:secret-of-a-store@127.0.0.1:1/b\"\n")
	status, body = r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"restart_needed":["store"]`)
	require.NotContains(t, body, "secret-of-a-store")
	code, answer = r.payOnce(token, s)
	require.Equal(t, http.StatusOK, code, string(answer))
	require.Equal(t, 1, asked)
	_, log := r.stop()
	require.Contains(t, log, `"msg":"reload refused: the settings stay as they were"`)
	require.Contains(t, log, `"msg":"reloaded","applied":["limits","budgets","webhook-file"],"restart_needed":["store"]`)
	require.NotContains(t, log, "secret-of-a-store")
}

// TestAReloadKeepsRates: a client that has used up its burst gets no other one by a reload.
func TestAReloadKeepsRates(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio")["token"].(string)
	const burst = 50
	r := s.serveSigner(fmt.Sprint("--admin-listen 127.0.0.1:0 --rate 1 --burst ", burst))
	began, accepted := time.Now(), 0
	ask := func() {
		for range burst {
			if code, _ := r.post("/sign-orchestrator-info", token, nil); code == http.StatusOK {
				accepted++
			}
		}
	}
	ask()
	status, body := r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusOK, status, body)
	ask()
	require.LessOrEqual(t, accepted, burst+1+int(time.Since(began)/time.Second))
}
