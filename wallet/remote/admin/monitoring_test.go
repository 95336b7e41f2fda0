package admin

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/metrics"
	"github.com/pmctl/pmctl/internal/metrics/metricstest"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// known is a signer of which everything is known, as none is that has just begun.
type known struct{ failed error }

func (k known) Checks(context.Context) []wallet.SignerCheck {
	return []wallet.SignerCheck{{Name: wallet.SignerCheckStore, Err: k.failed}, {Name: wallet.SignerCheckKey}}
}

func (k known) State(context.Context) (*wallet.SignerState, error) {
	limit := wei.FromUint64(10)
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	client := &store.Client{ID: "1", Name: "studio", Terms: store.Terms{EVPerDay: &limit}}
	return &wallet.SignerState{
		Network: "devnet", ChainID: 1337, Now: now, Deposit: big.NewInt(7), Reserve: big.NewInt(8), Head: &chain.Head{Time: now},
		Budget: &wallet.Budget{Lines: []wallet.BudgetLine{{Kind: wallet.SpentEV, SpentExact: format.Fraction{Rat: big.NewRat(7, 3)}, Limit: &limit}}},
		Runway: &wallet.Runway{Forecast: &wallet.Forecast{Confidence: 0.9, DaysLow: 1, DaysMedian: 2, DaysHigh: 3}},
		Usage:  &store.Backlog{Payments: 2, Oldest: now.Add(-time.Minute)}, Clients: []wallet.SignerAccount{{Client: client}},
	}, k.failed
}

var (
	metricInUse = regexp.MustCompile(`\bpmctl_[a-z0-9_]+`)
	labelsInUse = regexp.MustCompile(`\bby \(([a-z_, ]+)\)|\{([a-z_]+)=~?"|,([a-z_]+)=~?"|\{\{ ?\$labels\.([a-z_]+)`)
)

func scrape(t *testing.T, signer Signer) string {
	t.Helper()
	recorder := NewRecorder()
	recorder.Observe(remote.Answered{Path: "/generate-live-payment", Status: http.StatusOK, Recipient: new(common.Address)})
	recorder.add(paidSeries{"studio", "0x"}, policy.Cost(1, big.NewRat(1, 3), big.NewInt(2)))
	r := httptest.NewRequest(http.MethodGet, "http://localhost/metrics", nil)
	rw := httptest.NewRecorder()
	served := &x509.Certificate{NotAfter: time.Unix(1e9, 0)}
	Handler(Config{Signer: signer, Recorder: recorder, Certificate: func() *x509.Certificate { return served }}).ServeHTTP(rw, r)
	require.Equal(t, http.StatusOK, rw.Code)
	return rw.Body.String()
}

// TestTheCertificatesEnd is in the metrics.
func TestTheCertificatesEnd(t *testing.T) {
	require.Regexp(t, `(?m)^pmctl_signer_certificate_expiry_timestamp_seconds\{.*\} 1000000000$`, scrape(t, known{}))
}

// TestDashboardAndAlertsUseMetricsThatExist reads the files for Grafana and Prometheus.
func TestDashboardAndAlertsUseMetricsThatExist(t *testing.T) {
	labels := []string{"network", "chain_id", "account", "kind", "estimate", "check", "client", "recipient", "route", "status", "allowance", "state"}
	names := metricstest.Lint(t, scrape(t, known{}), labels...)
	used := make(map[string]bool)
	for _, file := range []string{"dashboard.json", "alerts.yml"} {
		text, err := os.ReadFile("../../../packaging/monitoring/" + file)
		require.NoError(t, err)
		if file == "dashboard.json" {
			require.True(t, json.Valid(text))
			text = []byte(strings.ReplaceAll(string(text), `\"`, `"`))
		}
		for _, name := range metricInUse.FindAllString(string(text), -1) {
			name = strings.TrimSuffix(name, "_bucket")
			require.Contains(t, names, name, file)
			used[name] = true
		}
		for _, found := range labelsInUse.FindAllStringSubmatch(string(text), -1) {
			for _, group := range found[1:] {
				for label := range strings.SplitSeq(group, ",") {
					if label = strings.TrimSpace(label); label != "" && label != "job" {
						require.Contains(t, append(labels, "instance", "le"), label, "%s: %s", file, found[0])
					}
				}
			}
		}
	}
	require.Greater(t, len(used), 10)
}

// TestPaymentsAddUpExactly: a counter is rounded once, and not with each payment.
func TestPaymentsAddUpExactly(t *testing.T) {
	recorder := NewRecorder()
	for range 6 {
		recorder.add(paidSeries{"studio", "0x"}, policy.Cost(1, big.NewRat(1, 3), big.NewInt(2)))
	}
	recorder.add(paidSeries{"studio", "0x"}, policy.Cost(1, big.NewRat(1, 2), big.NewInt(2)))
	text := string(metrics.Format("", recorder.Metrics()))
	require.Contains(t, text, `pmctl_signer_tickets_total{client="studio",recipient="0x"} 7`)
	require.Contains(t, text, `pmctl_signer_ticket_ev_wei_total{client="studio",recipient="0x"} 3`)
	require.Contains(t, text, `pmctl_signer_face_value_wei_total{client="studio",recipient="0x"} 14`)
}

// TestWhatIsLeft is never shown as more than it is, nor what is spent as nothing.
func TestWhatIsLeft(t *testing.T) {
	limit := wei.FromUint64(5e12)
	for _, c := range []struct {
		left        *big.Rat
		shown       string
		permille    int64
		spent, text string
	}{
		{big.NewRat(1e12, 1), "1000 gwei", 800, "4000 gwei", "a whole ticket"},
		{big.NewRat(3e12-1, 3), "~999.99 gwei", 800, "~4000 gwei", "a third of a wei less"},
		{big.NewRat(5e12, 1), "5000 gwei", 0, "0 wei", "all of it"},
		{big.NewRat(15e12-1, 3), "~4999.9 gwei", 0, "less than 1 wei", "nearly all of it"},
		{big.NewRat(1, 3), "0 wei", 999, "~5000 gwei", "less than a wei"},
		{new(big.Rat), "0 wei", 1000, "5000 gwei", "nothing"},
	} {
		spent := new(big.Rat).Sub(limit.Rat(), c.left)
		require.Equal(t, shownAmount{"EV", c.spent, "5000 gwei", c.shown, c.permille}, amountOf("EV", spent, &limit, c.left), c.text)
	}
}

// TestNoSignerIsAnAlert: where Prometheus looks signers up, as in the Compose file, it forgets one that
// has no address any more.
func TestNoSignerIsAnAlert(t *testing.T) {
	rules, err := os.ReadFile("../../../packaging/monitoring/alerts.yml")
	require.NoError(t, err)
	scraped, err := os.ReadFile("../../../packaging/compose/prometheus.yml")
	require.NoError(t, err)
	job := regexp.MustCompile(`job_name: (\S+)`).FindSubmatch(scraped)
	require.NotNil(t, job)
	require.Contains(t, string(rules), fmt.Sprintf("absent(up{job=%q})", job[1]))
}

// TestPrometheus has Prometheus itself evaluate the alert rules, and read the dashboard's queries and the
// Compose file's configuration.
func TestPrometheus(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		require.Empty(t, os.Getenv("PMCTL_REQUIRE_PROMTOOL"), "promtool is not here, and must be")
		t.Skip("promtool is not here")
	}
	for _, args := range [][]string{
		{"test", "rules", "testdata/alerts_test.yml"},
		{"check", "config", "--syntax-only", "../../../packaging/compose/prometheus.yml"},
		{"check", "rules", queriesOfTheDashboard(t)},
	} {
		out, err := exec.Command(promtool, args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	rules, err := os.ReadFile("../../../packaging/monitoring/alerts.yml")
	require.NoError(t, err)
	expected, err := os.ReadFile("testdata/alerts_test.yml")
	require.NoError(t, err)
	for _, alert := range regexp.MustCompile(`- alert: (\w+)`).FindAllSubmatch(rules, -1) {
		require.Contains(t, string(expected), "\n        alertname: "+string(alert[1])+"\n        exp_alerts: [{", "it is never seen to fire")
	}
}

// queriesOfTheDashboard writes them as rules, into a file that promtool reads.
func queriesOfTheDashboard(t *testing.T) (path string) {
	t.Helper()
	dashboard, err := os.ReadFile("../../../packaging/monitoring/dashboard.json")
	require.NoError(t, err)
	queries := regexp.MustCompile(`"expr": ("(?:[^"\\]|\\.)*")`).FindAllSubmatch(dashboard, -1)
	require.Greater(t, len(queries), 10)
	rules := "groups:\n  - name: dashboard\n    rules:\n"
	for i, query := range queries {
		rules += fmt.Sprintf("      - {record: query%d, expr: %s}\n", i, strings.ReplaceAll(string(query[1]), "$__rate_interval", "5m"))
	}
	path = filepath.Join(t.TempDir(), "dashboard.yml")
	require.NoError(t, os.WriteFile(path, []byte(rules), 0o600))
	return path
}

// departed is a signer whose clients have used up their allowances, and but for one were revoked or have expired.
type departed struct{ known }

func (d departed) State(ctx context.Context) (*wallet.SignerState, error) {
	state, err := d.known.State(ctx)
	at := state.Now.Add(-time.Second)
	state.Clients = nil
	for _, client := range []store.Client{{Name: "active", ExpiresAt: state.Now.Add(time.Second)}, {Name: "revoked", RevokedAt: at}, {Name: "expired", ExpiresAt: at}} {
		client.Terms.EVTotal = new(wei.FromUint64(10))
		spent := store.ClientSpending{Total: policy.Sum{EV: big.NewRat(9, 1)}}
		state.Clients = append(state.Clients, wallet.SignerAccount{Client: &client, Spent: spent})
	}
	return state, err
}

// TestNoAlertAboutAClientThatIsGone: it spends nothing more of what is left of its allowance.
func TestNoAlertAboutAClientThatIsGone(t *testing.T) {
	text := scrape(t, departed{})
	require.Len(t, regexp.MustCompile(`(?m)^pmctl_signer_client_spent_wei\{.*allowance="ev_total"\} 9$`).FindAllString(text, -1), 3)
	require.Len(t, regexp.MustCompile(`(?m)^pmctl_signer_client_left_wei\{`).FindAllString(text, -1), 1)
	require.Contains(t, text, `client="active",allowance="ev_total"} 1`)
}

// TestMetricsOfAStoreThatFails: what was counted is there all the same, as the same time series, and
// what is not in the store.
func TestMetricsOfAStoreThatFails(t *testing.T) {
	text := scrape(t, known{failed: errors.New("the disk is full")})
	require.Contains(t, text, `",check="store"} 0`)
	require.Contains(t, text, `pmctl_signer_requests_total{network="devnet",chain_id="1337",account="`)
	require.Contains(t, text, "pmctl_deposit_wei{network=")
	require.NotContains(t, text, "pmctl_tickets_total")
	require.NotContains(t, text, "disk")
}

// TestRefusalsAreBounded: the last ones are kept, the newest first, and a long reason is cut.
func TestRefusalsAreBounded(t *testing.T) {
	recorder := NewRecorder()
	for i := range 3 * refusalsKept / 2 {
		recorder.Observe(remote.Answered{Status: 400 + i, Err: errors.New("x" + strings.Repeat("é", maxReason))})
	}
	last := recorder.Refusals()
	require.Len(t, last, refusalsKept)
	for i, refusal := range last {
		require.Equal(t, 400+3*refusalsKept/2-1-i, refusal.Status)
		require.LessOrEqual(t, len(refusal.Reason), maxReason+len("…"))
		require.True(t, utf8.ValidString(refusal.Reason))
	}
}

// TestSeriesAreBounded: a client that asks to pay recipient after recipient is still counted.
func TestSeriesAreBounded(t *testing.T) {
	recorder := NewRecorder()
	for i := range 2 * maxSeries {
		to := common.BigToAddress(big.NewInt(int64(i)))
		recorder.Observe(remote.Answered{Path: "/generate-live-payment", Status: http.StatusBadRequest, Recipient: &to})
	}
	require.LessOrEqual(t, len(recorder.requests), maxSeries+1)
	require.Equal(t, uint64(maxSeries), recorder.requests[requestSeries{"generate-live-payment", "", "other", http.StatusBadRequest}])
}

// hanging is a signer whose store does not answer.
type hanging struct{ known }

func (hanging) Checks(ctx context.Context) []wallet.SignerCheck {
	<-ctx.Done()
	return []wallet.SignerCheck{{Name: wallet.SignerCheckStore, Err: fmt.Errorf("list the clients: %w", ctx.Err())}}
}

// TestACheckThatHangs: the operator reads how long the store was waited for.
func TestACheckThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		found := (&Config{Signer: hanging{}}).check(t.Context())
		require.False(t, found.Ready)
		require.Equal(t, "no answer within 5s: list the clients: context deadline exceeded", found.Checks[0].Error)
	})
}
