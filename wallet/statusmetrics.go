package wallet

import (
	"fmt"
	"strconv"

	"github.com/pmctl/pmctl/internal/metrics"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/check"
)

// StatusMetrics are an account's status, and what it spent unless that is nil, in Prometheus's text
// format.
func StatusMetrics(s *check.Status, spent *Activity) []byte {
	labels := metrics.Label("network", s.Network.Name).With("chain_id", fmt.Sprint(s.Network.ChainID)).With("account", s.Account.Hex())
	return metrics.Format(labels, append(statusMetrics(s), spent.metrics()...))
}

// statusMetrics are the status. Amounts are whole wei, written in full: Prometheus keeps the first
// 15 digits or so of a value.
func statusMetrics(s *check.Status) []metrics.Metric {
	one := func(name, help, value string) metrics.Metric {
		return metrics.Gauge(name, help, metrics.One(value)...)
	}
	all := []metrics.Metric{
		one("pmctl_balance_wei", "What the account holds.", s.Sender.Balance.Decimal()),
		one("pmctl_deposit_wei", "What pays winning tickets.", s.Sender.Deposit.Decimal()),
		one("pmctl_reserve_wei", "What pays what a face value exceeds the deposit by.", s.Sender.Reserve.Decimal()),
		one("pmctl_reserve_per_recipient_wei", "What one recipient can claim of the reserve in a round.", s.ReservePerRecipient.Decimal()),
		one("pmctl_offer_accepted", "1 when a recipient with the usual settings would make an offer.", metrics.Bool(s.Offer.Refused == nil)),
		one("pmctl_offer_face_value_wei", "The face value that it would ask for, or the most that it could.", s.Offer.FaceValue.Decimal()),
		one("pmctl_gas_price_wei", "What the node suggests to pay for a unit of gas.", s.GasPrice.Decimal()),
		one("pmctl_round", "The current round.", s.Round.Current.String()),
		one("pmctl_round_initialized", "1 when the current round is initialized.", metrics.Bool(s.Round.Initialized)),
		one("pmctl_l1_block", "The L1 block that rounds and params count in.", fmt.Sprint(s.Head.L1Block)),
		one("pmctl_block_timestamp_seconds", "When the newest block was made.", strconv.FormatInt(s.Head.Time.Unix(), 10)),
		one("pmctl_paused", "1 when the contracts are paused.", metrics.Bool(s.Paused)),
	}
	lock := metrics.Gauge("pmctl_lock", "1 for the state that deposit and reserve are in.")
	for _, state := range []broker.Lock{broker.Empty, broker.Locked, broker.Unlocking, broker.Unlocked} {
		lock.Samples = append(lock.Samples, metrics.Sample{Labels: metrics.Label("state", string(state)), Value: metrics.Bool(s.Lock() == state)})
	}
	all = append(all, lock)
	if s.Sender.Unlocking() {
		all = append(all, one("pmctl_withdraw_round", "The round from which everything can be withdrawn.", s.Sender.WithdrawRound.String()))
	}
	if at, ok := s.WithdrawTime(); ok {
		all = append(all, one("pmctl_withdraw_timestamp_seconds", "About when the withdraw round begins.", strconv.FormatInt(at.Unix(), 10)))
	}
	if s.Open != nil {
		all = append(all, one("pmctl_open_transactions", "Transactions that are not known to be mined.", strconv.Itoa(*s.Open)))
	}
	problems := 0
	warned := metrics.Gauge("pmctl_warning", "1 for each warning that there is.")
	for _, f := range s.Findings {
		problem := f.State == check.Failed
		if problem {
			problems++
		}
		warned.Samples = append(warned.Samples, metrics.Sample{Labels: metrics.Label("code", f.ID).With("problem", strconv.FormatBool(problem)), Value: "1"})
	}
	return append(all, one("pmctl_problems", "How many of the warnings fail a check.", strconv.Itoa(problems)), warned)
}

// metrics are what was spent; none for a nil Activity.
func (a *Activity) metrics() []metrics.Metric {
	if a == nil {
		return nil
	}
	all := []metrics.Metric{
		metrics.Counter("pmctl_tickets_total", "Tickets made with this store.", metrics.One(strconv.FormatUint(a.Made.Tickets, 10))...),
		metrics.Counter("pmctl_ticket_ev_wei_total", "Expected value of the tickets made with this store.", metrics.One(metrics.Whole(a.Made.EV))...),
		metrics.Counter("pmctl_wins_total", "Winning tickets redeemed since this store's first ticket.", metrics.One(strconv.FormatUint(a.Wins, 10))...),
		metrics.Counter("pmctl_paid_wei_total", "What those winning tickets were paid.", metrics.One(metrics.Whole(a.Paid))...),
	}
	return append(append(all, a.Budget.Metrics()...), a.Forecast.Metrics()...)
}
