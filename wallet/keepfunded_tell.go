package wallet

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/internal/metrics"
	"github.com/pmctl/pmctl/wallet/remote"
)

// TopUpEvent begins the types of the events about top-ups. The outcome follows.
const TopUpEvent = "pmctl.fund_auto."

// Event returns the look as a CloudEvent. Another one of the same second has another ID.
func (t TopUp) Event() ([]byte, error) {
	sender := common.Address(t.Sender).Hex()
	data, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	return json.Marshal(remote.Event{
		SpecVersion: "1.0", ID: fmt.Sprintf("fund-auto-%s-%d-%x", sender, t.At.Unix(), crypto.Keccak256(data)[:8]), Source: "pmctl/" + t.Network,
		Type: TopUpEvent + t.Outcome, Subject: sender, Time: t.At, ContentType: "application/json", Data: json.RawMessage(data),
	})
}

// Metrics are what a look found and did, with the labels that all have. Amounts are whole wei.
func (t TopUp) Metrics() []byte {
	gauge := func(name, help, value string) metrics.Metric {
		return metrics.Gauge("pmctl_fund_auto_"+name, help, metrics.One(value)...)
	}
	all := []metrics.Metric{
		gauge("look_timestamp_seconds", "When the funds were looked at.", strconv.FormatInt(t.At.Unix(), 10)),
		gauge("short", "1 when less was added than is needed.", metrics.Bool(t.Reason != "")),
	}
	if t.Reason != "" {
		all = append(all, metrics.Gauge("pmctl_fund_auto_reason", "1 for the reason of that.", metrics.Sample{Labels: metrics.Label("code", t.Reason), Value: "1"}))
	}
	if f := t.Funds; f != nil {
		all = append(all,
			gauge("balance_wei", "What the paying account had.", f.Balance.Decimal()),
			gauge("deposit_wei", "The deposit, before the top-up.", f.Deposit.Decimal()),
			gauge("reserve_wei", "The reserve, before the top-up.", f.Reserve.Decimal()),
			gauge("need_deposit_wei", "What the deposit must be by the rules.", f.NeedDeposit.Decimal()),
			gauge("need_reserve_wei", "What the reserve must be by the rules.", f.NeedReserve.Decimal()),
			gauge("moved_today_wei", "What earlier top-ups of this UTC day moved, or may still.", f.MovedToday.Decimal()),
			gauge("moved_wei", "What all earlier top-ups moved, or may still.", f.MovedTotal.Decimal()))
	}
	labels := metrics.Label("network", t.Network).With("chain_id", strconv.FormatUint(t.ChainID, 10)).
		With("account", common.Address(t.Sender).Hex()).With("paying_account", common.Address(t.Payer).Hex())
	return metrics.Format(labels, all)
}
