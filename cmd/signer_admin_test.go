package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/metrics/metricstest"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// watch sends a request to the admin listener.
func (r *remoteSigner) watch(method, path string, headers ...string) (int, string) {
	r.t.Helper()
	request, err := http.NewRequest(method, r.admin+path, nil)
	require.NoError(r.t, err)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	return response.StatusCode, string(body)
}

// checks are those of /readyz, each with its error, "" where it is met.
func (r *remoteSigner) checks(want int) map[string]string {
	r.t.Helper()
	status, body := r.watch(http.MethodGet, "/readyz")
	require.Equal(r.t, want, status, body)
	var found struct {
		Ready  bool
		Checks []struct {
			Name  string
			OK    bool
			Error string
		}
	}
	require.NoError(r.t, json.Unmarshal([]byte(body), &found))
	require.Equal(r.t, want == http.StatusOK, found.Ready)
	checks := make(map[string]string)
	for _, check := range found.Checks {
		require.Equal(r.t, check.OK, check.Error == "", check.Name)
		checks[check.Name] = check.Error
	}
	return checks
}

// payOnce has the signer sign a payment for a client.
func (r *remoteSigner) payOnce(token string, s *shell) (int, []byte) {
	r.t.Helper()
	info := r.offerFor(token, s.net.Recipients()[0].State().URL)
	return r.post("/generate-live-payment", token, map[string]any{"orchestrator": info, "type": "live", "ManifestID": "m"})
}

var signerLabels = []string{
	"network", "chain_id", "account", "kind", "estimate", "check", "client", "recipient", "route", "status", "allowance", "consumer", "state",
}

// TestASignerIsWatched: each condition of a payment is named, and payments are counted by client
// and recipient.
func TestASignerIsWatched(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio --ev-per-day 1eth")["token"].(string)
	collector := filepath.Join(t.TempDir(), "usage")
	require.NoError(t, os.WriteFile(collector, []byte("http://127.0.0.1:1\n"), 0o600))
	r := s.serveSigner("--admin-listen 127.0.0.1:0 --usage-file " + collector)
	status, body := r.watch(http.MethodGet, "/healthz")
	require.Equal(t, http.StatusOK, status, body)
	require.Equal(t, map[string]string{"store": "", "chain": "", "deposit": "", "reserve": "", "unlock": "", "key": "", "accepting": ""}, r.checks(http.StatusOK))

	code, answer := r.payOnce(token, s)
	require.Equal(t, http.StatusOK, code, string(answer))
	code, _ = r.post("/generate-live-payment", "", map[string]any{})
	require.Equal(t, http.StatusUnauthorized, code)
	status, text := r.watch(http.MethodGet, "/metrics")
	require.Equal(t, http.StatusOK, status)
	metricstest.Lint(t, text, signerLabels...)
	recipient := s.net.Recipients()[0].State().Address.Hex()
	for _, want := range []string{
		`route="generate-live-payment",client="studio",recipient="` + recipient + `",status="200"} 1`,
		`route="generate-live-payment",client="",recipient="",status="401"} 1`,
		`route="sign-orchestrator-info",client="studio",recipient="",status="200"} 1`,
		`pmctl_signer_request_duration_seconds_count{`, `,le="+Inf"} `,
		`pmctl_signer_tickets_total{network="devnet",`,
		`client="studio",allowance="ev_per_day"} `,
		`check="unlock"} 1`, "pmctl_signer_usage_undelivered{", `"} 1`, "pmctl_signer_usage_undelivered_age_seconds{", `pmctl_signer_ready{`, "pmctl_block_timestamp_seconds{", "pmctl_signer_chain_data_age_seconds{",
		`,account="` + s.net.Accounts()[0].Address.Hex() + `"} 1000000000000000000` + "\n",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, token)

	s.run(exitDone, "unlock --yes")
	require.Eventually(t, func() bool {
		status, _ := r.watch(http.MethodGet, "/readyz")
		return status == http.StatusServiceUnavailable
	}, time.Minute, 50*time.Millisecond)
	checks := r.checks(http.StatusServiceUnavailable)
	require.Contains(t, checks["unlock"], "can be withdrawn from round")
	require.Empty(t, checks["deposit"])
}

// TestTheAdminListenerIsPrivate: a page of another site cannot read it under a name of its own nor
// have it reload, and where it has a token nothing is answered without.
func TestTheAdminListenerIsPrivate(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	open := s.serveSigner("--admin-listen 127.0.0.1:0")
	status, body := open.watch(http.MethodGet, "/readyz", "Host", "evil.example")
	require.Equal(t, http.StatusForbidden, status, body)
	status, body = open.watch(http.MethodPost, "/reload", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, status, body)
	status, body = open.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusOK, status, body)
	require.JSONEq(t, `{"applied":["limits","budgets"],"restart_needed":[]}`, body)

	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("a-token-of-an-operator\n"), 0o600))
	closed := s.serveSigner("--admin-listen 127.0.0.1:0 --admin-token-file " + file)
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/"} {
		status, body = closed.watch(http.MethodGet, path)
		require.Equal(t, http.StatusUnauthorized, status, body)
		require.NotContains(t, body, "a-token")
	}
	status, _ = closed.watch(http.MethodGet, "/readyz", "Authorization", "Bearer wrong-token-of-an-operator")
	require.Equal(t, http.StatusUnauthorized, status)
	status, body = closed.watch(http.MethodGet, "/readyz", "Authorization", "Bearer a-token-of-an-operator")
	require.Equal(t, http.StatusOK, status, body)
	status, _ = closed.watch(http.MethodGet, "/metrics", "Authorization", "Basic YW55OmEtdG9rZW4tb2YtYW4tb3BlcmF0b3I=")
	require.Equal(t, http.StatusOK, status)
	_, log := closed.stop()
	require.False(t, strings.Contains(log, "a-token-of"), "the log has no token")
}

// TestReplicasAreShown: signers of one account on one store show each other, and which was stopped.
func TestReplicasAreShown(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	first := s.serveSigner("--admin-listen 127.0.0.1:0")
	second := s.serveSigner("")
	own, err := os.Hostname()
	require.NoError(t, err)
	var found struct {
		Replicas []struct {
			Host, Version, State string
			Own                  bool
		}
	}
	shown := func(want ...string) func() bool {
		return func() bool {
			status, body := first.watch(http.MethodGet, "/replicas")
			require.Equal(t, http.StatusOK, status, body)
			require.NoError(t, json.Unmarshal([]byte(body), &found))
			var states []string
			for _, replica := range found.Replicas {
				require.Equal(t, own, replica.Host)
				require.NotEmpty(t, replica.Version)
				states = append(states, fmt.Sprint(replica.State, " ", replica.Own))
			}
			return slices.Equal(want, states)
		}
	}
	require.Eventually(t, shown("alive true", "alive false"), time.Minute, 20*time.Millisecond)
	second.stop()
	require.True(t, shown("alive true", "stopped false")(), found)
	_, text := first.watch(http.MethodGet, "/metrics")
	require.Regexp(t, `pmctl_signer_replicas\{.*state="alive"\} 1\n`, text)
	require.Regexp(t, `pmctl_signer_replicas\{.*state="stopped"\} 1\n`, text)
}
