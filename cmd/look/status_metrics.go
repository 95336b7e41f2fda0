package look

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/cache"
	"github.com/pmctl/pmctl/internal/metrics"
	"github.com/pmctl/pmctl/wallet/broker"
)

// outputPrometheus is the format of the textfile collector.
const outputPrometheus = "prometheus"

// metrics are the status. Amounts are whole wei, written in full: Prometheus keeps the
// first 15 digits or so of a value.
func (s *statusResult) metrics() []metrics.Metric {
	one := func(name, help, value string) metrics.Metric {
		return metrics.Gauge(name, help, metrics.One(value)...)
	}
	all := []metrics.Metric{
		one("pmctl_balance_wei", "What the account holds.", s.Balance.Decimal()),
		one("pmctl_deposit_wei", "What pays winning tickets.", s.Deposit.Decimal()),
		one("pmctl_reserve_wei", "What pays what a face value exceeds the deposit by.", s.Reserve.Decimal()),
		one("pmctl_reserve_per_recipient_wei", "What one recipient can claim of the reserve in a round.", s.ReservePerRecipient.Decimal()),
		one("pmctl_offer_accepted", "1 when a recipient with the usual settings would make an offer.", metrics.Bool(s.Offer.Accepted)),
		one("pmctl_offer_face_value_wei", "The face value that it would ask for, or the most that it could.", s.Offer.FaceValue.Decimal()),
		one("pmctl_gas_price_wei", "What the node suggests to pay for a unit of gas.", s.Offer.GasPrice.Decimal()),
		one("pmctl_round", "The current round.", s.Round.Current.String()),
		one("pmctl_round_initialized", "1 when the current round is initialized.", metrics.Bool(s.Round.Initialized)),
		one("pmctl_l1_block", "The L1 block that rounds and params count in.", fmt.Sprint(s.Block.L1Block)),
		one("pmctl_block_timestamp_seconds", "When the newest block was made.", strconv.FormatInt(s.Block.Time.Unix(), 10)),
		one("pmctl_paused", "1 when the contracts are paused.", metrics.Bool(s.Paused)),
	}
	lock := metrics.Gauge("pmctl_lock", "1 for the state that deposit and reserve are in.")
	for _, state := range []broker.Lock{broker.Empty, broker.Locked, broker.Unlocking, broker.Unlocked} {
		lock.Samples = append(lock.Samples, metrics.Sample{Labels: metrics.Label("state", string(state)), Value: metrics.Bool(s.Lock == state)})
	}
	all = append(all, lock)
	if s.WithdrawRound != nil {
		all = append(all, one("pmctl_withdraw_round", "The round from which everything can be withdrawn.", s.WithdrawRound.String()))
	}
	if s.ReadyAt != nil {
		all = append(all, one("pmctl_withdraw_timestamp_seconds", "About when the withdraw round begins.", strconv.FormatInt(s.ReadyAt.Unix(), 10)))
	}
	if s.OpenTransactions != nil {
		all = append(all, one("pmctl_open_transactions", "Transactions that are not known to be mined.", strconv.Itoa(*s.OpenTransactions)))
	}
	problems := 0
	warned := metrics.Gauge("pmctl_warning", "1 for each warning that there is.")
	for _, w := range s.Warnings {
		if w.Problem {
			problems++
		}
		warned.Samples = append(warned.Samples, metrics.Sample{Labels: metrics.Label("code", w.Code).With("problem", strconv.FormatBool(w.Problem)), Value: "1"})
	}
	return append(all, one("pmctl_problems", "How many of the warnings fail a check.", strconv.Itoa(problems)), warned)
}

func formatMetrics(s *statusResult, all []metrics.Metric) []byte {
	labels := metrics.Label("network", s.Network).With("chain_id", s.ChainID).With("account", common.Address(s.Account).Hex())
	return metrics.Format(labels, all)
}

// writeMetrics writes the metrics to stdout, or in place of the file of --out.
func (v *statusView) writeMetrics(ctx context.Context, s *statusResult) error {
	spent, err := v.spentMetrics(ctx)
	if err != nil {
		return err
	}
	text := formatMetrics(s, append(s.metrics(), spent...))
	if v.out == "" {
		_, err := v.Out.Write(text)
		return err
	}
	if err := cache.Swap(v.out, text, 0o644); err != nil {
		return fmt.Errorf("--out %s: %w", v.out, err)
	}
	return nil
}
