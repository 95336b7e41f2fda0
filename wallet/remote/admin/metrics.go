package admin

import (
	"context"
	"math/big"
	"net/http"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/internal/metrics"
	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet"
)

// contentType is that of Prometheus's text format.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

// metrics writes what was counted, what is known and, if the store answers, what is on record.
func (c *Config) metrics(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	all := c.Recorder.Metrics()
	checks := metrics.Gauge("pmctl_signer_check", "1 for each condition of a payment that is met.")
	ready := c.check(ctx)
	for _, check := range ready.Checks {
		checks.Samples = append(checks.Samples, metrics.Sample{Labels: metrics.Label("check", check.Name), Value: metrics.Bool(check.OK)})
	}
	all = append(all, checks, metrics.Gauge("pmctl_signer_ready", "1 when all of them are met.", metrics.One(metrics.Bool(ready.Ready))...))
	// It is no check of readiness: orchestrators and many clients do not check certificates, and an expired
	// one would take all replicas out of service at once.
	if c.Certificate != nil {
		if served := c.Certificate(); served != nil {
			all = append(all, metrics.Gauge("pmctl_signer_certificate_expiry_timestamp_seconds", "When the server's certificate expires.",
				metrics.One(strconv.FormatInt(served.NotAfter.Unix(), 10))...))
		}
	}
	state, err := c.Signer.State(ctx)
	if all = append(all, knownMetrics(state)...); err == nil {
		all = append(all, storedMetrics(state)...)
	}
	labels := metrics.Label("network", state.Network).With("chain_id", strconv.FormatUint(state.ChainID, 10)).With("account", state.Account.Hex())
	rw.Header().Set("Content-Type", contentType)
	_, _ = rw.Write(metrics.Format(labels, all)) // the caller is gone
}

// knownMetrics and storedMetrics have the names that pmctl status gives to the same. The store need
// not answer for the known ones.
func knownMetrics(s *wallet.SignerState) (all []metrics.Metric) {
	if s.Deposit != nil {
		all = append(all,
			metrics.Gauge("pmctl_deposit_wei", "What pays winning tickets.", metrics.One(s.Deposit.String())...),
			metrics.Gauge("pmctl_reserve_wei", "What pays what a face value exceeds the deposit by.", metrics.One(s.Reserve.String())...),
			metrics.Gauge("pmctl_signer_chain_data_age_seconds", "Age of the last answer from the chain.", metrics.One(metrics.Seconds(s.FactsAge))...),
		)
	}
	if s.Head != nil {
		all = append(all, metrics.Gauge("pmctl_block_timestamp_seconds", "When the newest block was made.", metrics.One(strconv.FormatInt(s.Head.Time.Unix(), 10))...))
	}
	if s.Runway != nil {
		all = append(all, s.Runway.Forecast.Metrics()...)
	}
	if s.Listed != nil {
		all = append(all,
			metrics.Gauge("pmctl_signer_orchestrators", "Orchestrators that discovery lists.", metrics.One(strconv.Itoa(len(s.Listed.Orchestrators)))...),
			metrics.Gauge("pmctl_signer_orchestrators_age_seconds", "Age of the oldest answer in that list.", metrics.One(metrics.Seconds(s.Listed.Oldest))...),
		)
	}
	return all
}

func storedMetrics(s *wallet.SignerState) []metrics.Metric {
	all := append([]metrics.Metric{
		metrics.Counter("pmctl_tickets_total", "Tickets made with this store.", metrics.One(strconv.FormatUint(s.Made.Tickets, 10))...),
		metrics.Counter("pmctl_ticket_ev_wei_total", "Expected value of the tickets made with this store.", metrics.One(metrics.Whole(num.OrZero(s.Made.EV)))...),
	}, s.Budget.Metrics()...)
	if s.Usage != nil {
		age := time.Duration(0)
		if s.Usage.Payments > 0 {
			age = max(0, s.Now.Sub(s.Usage.Oldest))
		}
		all = append(all,
			metrics.Gauge("pmctl_signer_usage_undelivered", "Usage events that the collector has not acknowledged.", metrics.One(strconv.FormatInt(s.Usage.Payments, 10))...),
			metrics.Gauge("pmctl_signer_usage_undelivered_age_seconds", "Age of the oldest of them; 0 without any.", metrics.One(metrics.Seconds(age))...),
		)
	}
	return append(append(all, replicaMetrics(s.Replicas)), clientMetrics(s.Clients, s.Now)...)
}

func clientMetrics(clients []wallet.SignerAccount, now time.Time) []metrics.Metric {
	spent := metrics.Gauge("pmctl_signer_client_spent_wei", "What was signed for a client, today (UTC) or in all, as each allowance counts it.")
	left := metrics.Gauge("pmctl_signer_client_left_wei", "What an allowance leaves to a client that is neither revoked nor expired.")
	for _, client := range clients {
		for _, allowance := range wallet.SignerAllowances(client) {
			labels := metrics.Label("client", client.Name).With("allowance", string(allowance.Name))
			spent.Samples = append(spent.Samples, metrics.Sample{Labels: labels, Value: metrics.Whole(allowance.Spent)})
			// An alert about a client that can spend nothing more would not end.
			if rest := allowance.Left(); rest != nil && client.CheckActive(now) == nil {
				left.Samples = append(left.Samples, metrics.Sample{Labels: labels, Value: new(big.Int).Quo(rest.Num(), rest.Denom()).String()})
			}
		}
	}
	return []metrics.Metric{spent, left}
}
