package cmd

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/runner"
)

// TestASignerListsOrchestrators: those in the registries, with the models that they offer; one that
// stops answering stays listed. A file names others.
func TestASignerListsOrchestrators(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 2})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes") // orchestrators answer those who can pay
	listed := func(r *remoteSigner, query string, count int) (list []runner.Orchestrator) {
		t.Helper()
		require.Eventually(t, func() bool {
			response, err := http.Get(r.url + "/discover-orchestrators" + query)
			require.NoError(t, err)
			defer response.Body.Close()
			if response.StatusCode == http.StatusServiceUnavailable {
				return false // the first round is under way, and lists one after another
			}
			require.Equal(t, http.StatusOK, response.StatusCode)
			require.NotEmpty(t, response.Header.Get("Age"))
			list = nil
			require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
			return len(list) == count
		}, 30*time.Second, 10*time.Millisecond)
		return list
	}
	r := s.serveSigner("--no-auth --orchestrators chain --admin-listen 127.0.0.1:0")
	list := listed(r, "", 2)
	response, err := http.Get(r.admin + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	metrics, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Regexp(t, `(?m)^pmctl_signer_orchestrators\{.*\} 2$`, string(metrics))
	require.Regexp(t, `(?m)^pmctl_signer_orchestrators_age_seconds\{.*\} \d`, string(metrics))
	urls := map[string]bool{}
	for _, o := range list {
		urls[o.Address] = true
		require.Equal(t, []string{"echo/fixed", "echo/live", "echo/lv2v", "live-video-to-video/noop", "text-to-image/local/still"}, o.Capabilities)
		require.EqualValues(t, 1, o.Score)
	}
	for _, recipient := range s.net.Recipients() {
		require.True(t, urls[recipient.State().URL])
	}
	listed(r, "?caps=other&caps=text-to-image/local/still", 2)
	listed(r, "?caps=other", 0)
	_, log := r.stop()
	require.Contains(t, log, `"msg":"discovery","answered":2,"asked":2`)

	file := filepath.Join(t.TempDir(), "orchestrators")
	one := s.net.Recipients()[1].State().PlainURL
	require.NoError(t, os.WriteFile(file, []byte(one+"\n"), 0o600))
	list = listed(s.serveSigner("--no-auth --orchestrators "+file), "", 1)
	require.Equal(t, one, list[0].Address)
}

// TestRunnersOfASigner: what a remote signer found is listed to its clients, with its age.
func TestRunnersOfASigner(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte(s.run(exitDone, "signer client add studio")["token"].(string)+"\n"), 0o600))
	r := s.serveSigner("--orchestrators chain")
	s.run(exitLocked, "runner list --signer "+r.url) // as pmctl call without a token
	line := "runner list --signer " + r.url + " --signer-token-file " + token
	require.Eventually(t, func() bool { // the first round is under way
		code, _ := s.try(line)
		return code == exitDone
	}, 30*time.Second, 10*time.Millisecond)
	listed := s.run(exitDone, line)
	require.Len(t, listed["runners"], 3)
	require.EqualValues(t, 1, listed["asked"])
	require.Contains(t, listed, "age_seconds")
	first := listed["runners"].([]any)[0].(map[string]any)
	require.Equal(t, s.net.Recipients()[0].State().URL, first["listed_by"])
	require.Equal(t, "5023", first["price_wei"])
}
