package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// CallFields are a call of the contract for a person.
func CallFields(c *broker.Call) []page.Field {
	fields := []page.Field{{"call", c.Function}}
	for _, a := range c.Arguments {
		fields = append(fields, page.Field{"  " + a.Name, a.Value})
	}
	return fields
}

// dryRunResult is what a transaction would be, and cost.
type dryRunResult struct {
	Network     string         `json:"network"`
	ChainID     string         `json:"chain_id"`
	Account     format.Address `json:"from"`
	Contract    format.Address `json:"to"`
	Call        *broker.Call   `json:"call"`
	Value       wei.Wei        `json:"value"`
	GasLimit    uint64         `json:"gas_limit"`
	MaxGasPrice wei.Wei        `json:"max_gas_price"`
	MaxFee      wei.Wei        `json:"max_fee"`
	MaxCost     wei.Wei        `json:"max_cost"`
	says        []string
}

// emitDryRun shows what would be sent. The contract would take it: that has been tried.
func emitDryRun(r *Run, p *wallet.Proposal) error {
	call, err := broker.ParseCall(p.Value.Big(), p.Data)
	if err != nil {
		return err
	}
	cost, err := p.Value.Add(p.MaxFee)
	if err != nil {
		return err
	}
	price, err := wei.FromBig(p.FeeCap)
	if err != nil {
		return err
	}
	result := dryRunResult{
		Network: p.Network.Name, ChainID: fmt.Sprint(p.Network.ChainID), Account: format.Address(p.From), Contract: format.Address(p.To), Call: call, Value: p.Value,
		GasLimit: p.GasLimit, MaxGasPrice: price, MaxFee: p.MaxFee, MaxCost: cost, says: p.Says,
	}
	return r.Emit("pmctl.dry_run", result, result.write)
}

func (d dryRunResult) write(w *page.Page) {
	for _, sentence := range d.says {
		if w.Bounded {
			sentence = page.Wrap(sentence, w.Width)
		}
		w.Print(sentence + "\n")
	}
	fields := []page.Field{
		{"network", fmt.Sprintf("%s (chain ID %s)", d.Network, d.ChainID)},
		{"account", common.Address(d.Account).Hex()},
		{"contract", common.Address(d.Contract).Hex()},
	}
	w.Fields(slices.Concat(fields, CallFields(d.Call), []page.Field{
		{"value", d.Value.String()},
		{"gas limit", fmt.Sprint(d.GasLimit)},
		{"gas price", "at most " + d.MaxGasPrice.String()},
		{"gas", "at most " + d.MaxFee.String()},
		{"in all", "at most " + d.MaxCost.String()},
		{"simulated", "the contract would take it; nothing was sent"},
	}))
}

// emitUnsigned writes a transaction for another machine to sign.
func emitUnsigned(r *Run, document *format.Transaction) error {
	if r.Output == OutputSafe {
		return writeSafe(r, document)
	}
	return format.Write(r.Out, format.KindUnsigned, document)
}

// OutputSafe is an unsigned transaction as the Transaction Builder of a Safe reads it.
const OutputSafe = "safe"

// safeBatch is the Transaction Builder's file, version 1.0, with one transaction. The
// Safe chooses nonce and gas itself.
type safeBatch struct {
	Version      string            `json:"version"`
	ChainID      string            `json:"chainId"`
	CreatedAt    int64             `json:"createdAt"` // in milliseconds since 1970
	Meta         safeMeta          `json:"meta"`
	Transactions []safeTransaction `json:"transactions"`
}

type safeMeta struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Safe        format.Address `json:"createdFromSafeAddress"`
}

// safeTransaction names no method: a Safe shows what data says, and signs that.
type safeTransaction struct {
	To     format.Address  `json:"to"`
	Value  string          `json:"value"` // in wei
	Data   string          `json:"data"`
	Method json.RawMessage `json:"contractMethod"`
	Inputs json.RawMessage `json:"contractInputsValues"`
}

// writeSafe writes a transaction for a Safe, which is the account that acts.
func writeSafe(r *Run, t *format.Transaction) error {
	null := json.RawMessage("null")
	encoder := json.NewEncoder(r.Out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(safeBatch{
		Version:   "1.0",
		ChainID:   strconv.FormatInt(int64(t.ChainID), 10),
		CreatedAt: r.Now().UnixMilli(),
		Meta:      safeMeta{Name: wallet.LabelText(t.Label), Description: "TicketBroker on " + t.Network, Safe: t.From},
		Transactions: []safeTransaction{{
			To: t.To, Value: t.Value.Decimal(), Data: hexutil.Encode(t.Data), Method: null, Inputs: null,
		}},
	})
}
