package look

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/broker"
)

// outputPrometheus is the format of the textfile collector.
const outputPrometheus = "prometheus"

// metric is one metric with its samples.
type metric struct {
	name, help string
	samples    []sample
	counter    bool // else a gauge
}

// sample is a value under labels beside those that all have.
type sample struct {
	labels string // as they are written, with a comma before them
	value  string
}

// metrics are the status. Amounts are whole wei, written in full: Prometheus keeps the
// first 15 digits or so of a value.
func (s *statusResult) metrics() []metric {
	one := func(name, help, value string) metric { return gauge(name, help, sample{"", value}) }
	all := []metric{
		one("pmctl_balance_wei", "What the account holds.", s.Balance.Decimal()),
		one("pmctl_deposit_wei", "What pays winning tickets.", s.Deposit.Decimal()),
		one("pmctl_reserve_wei", "What pays what a face value exceeds the deposit by.", s.Reserve.Decimal()),
		one("pmctl_reserve_per_recipient_wei", "What one recipient can claim of the reserve in a round.", s.ReservePerRecipient.Decimal()),
		one("pmctl_offer_accepted", "1 when a recipient with the usual settings would make an offer.", oneOrZero(s.Offer.Accepted)),
		one("pmctl_offer_face_value_wei", "The face value that it would ask for, or the most that it could.", s.Offer.FaceValue.Decimal()),
		one("pmctl_gas_price_wei", "What the node suggests to pay for a unit of gas.", s.Offer.GasPrice.Decimal()),
		one("pmctl_round", "The current round.", s.Round.Current.String()),
		one("pmctl_round_initialized", "1 when the current round is initialized.", oneOrZero(s.Round.Initialized)),
		one("pmctl_l1_block", "The L1 block that rounds and params count in.", fmt.Sprint(s.Block.L1Block)),
		one("pmctl_block_timestamp_seconds", "When the newest block was made.", strconv.FormatInt(s.Block.Time.Unix(), 10)),
		one("pmctl_paused", "1 when the contracts are paused.", oneOrZero(s.Paused)),
	}
	lock := metric{name: "pmctl_lock", help: "1 for the state that deposit and reserve are in."}
	for _, state := range []broker.Lock{broker.Empty, broker.Locked, broker.Unlocking, broker.Unlocked} {
		lock.samples = append(lock.samples, sample{label("state", string(state)), oneOrZero(s.Lock == state)})
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
	warned := metric{name: "pmctl_warning", help: "1 for each warning that there is."}
	for _, w := range s.Warnings {
		if w.Problem {
			problems++
		}
		warned.samples = append(warned.samples, sample{label("code", w.Code) + label("problem", strconv.FormatBool(w.Problem)), "1"})
	}
	all = append(all, one("pmctl_problems", "How many of the warnings fail a check.", strconv.Itoa(problems)))
	if len(warned.samples) > 0 {
		all = append(all, warned)
	}
	return all
}

func gauge(name, help string, samples ...sample) metric { return metric{name, help, samples, false} }

func counter(name, help, value string) metric { return metric{name, help, []sample{{"", value}}, true} }

func oneOrZero(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// label is a label behind others.
func label(name, value string) string {
	return "," + name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

// formatMetrics writes metrics in Prometheus's text format.
func formatMetrics(s *statusResult, metrics []metric) []byte {
	var text bytes.Buffer
	labels := label("network", s.Network)[1:] + label("chain_id", s.ChainID) + label("account", common.Address(s.Account).Hex())
	for _, m := range metrics {
		kind := "gauge"
		if m.counter {
			kind = "counter"
		}
		fmt.Fprintf(&text, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, kind)
		for _, sample := range m.samples {
			fmt.Fprintf(&text, "%s{%s%s} %s\n", m.name, labels, sample.labels, sample.value)
		}
	}
	return text.Bytes()
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
	if err := replaceFile(v.out, text); err != nil {
		return fmt.Errorf("--out %s: %w", v.out, err)
	}
	return nil
}

// replaceFile replaces the file at path with content, in one step: a reader
// sees all of the one or of the other. The file is readable for all users.
func replaceFile(path string, content []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".pmctl-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(content)
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}
