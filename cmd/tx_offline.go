package cmd

import (
	"context"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// argumentResult and callResult are a call in words.
type argumentResult struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

type callResult struct {
	Method    string           `json:"method"`
	Arguments []argumentResult `json:"arguments"`
}

func describe(data []byte) (callResult, error) {
	d, err := contract.Describe(data)
	result := callResult{Method: d.Method, Arguments: []argumentResult{}}
	for _, a := range d.Args {
		result.Arguments = append(result.Arguments, argumentResult(a))
	}
	return result, err
}

func (c callResult) fields() []field {
	fields := []field{{"call", c.Method}}
	for _, a := range c.Arguments {
		fields = append(fields, field{"  " + a.Name, a.Value})
	}
	return fields
}

// dryRunResult is what a transaction would be, and cost.
type dryRunResult struct {
	Network     string         `json:"network"`
	ChainID     string         `json:"chain_id"`
	Account     format.Address `json:"account"`
	Contract    format.Address `json:"contract"`
	Call        callResult     `json:"call"`
	Value       wei.Wei        `json:"value"`
	GasLimit    string         `json:"gas_limit"`
	MaxGasPrice wei.Wei        `json:"max_gas_price"`
	MaxFee      wei.Wei        `json:"max_fee"`
	MaxCost     wei.Wei        `json:"max_cost"`
	says        []string
}

// emitDryRun shows what would be sent. The contract would take it: that has been tried.
func (r *run) emitDryRun(p *wallet.Proposal) error {
	call, err := describe(p.Data)
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
		GasLimit: fmt.Sprint(p.GasLimit), MaxGasPrice: price, MaxFee: p.MaxFee, MaxCost: cost, says: p.Says,
	}
	return r.emit("pmctl.dry_run", result, result.write)
}

func (d dryRunResult) write(w io.Writer) error {
	for _, sentence := range d.says {
		if _, err := fmt.Fprintln(w, sentence); err != nil {
			return err
		}
	}
	fields := []field{
		{"network", fmt.Sprintf("%s (chain id %s)", d.Network, d.ChainID)},
		{"account", common.Address(d.Account).Hex()},
		{"contract", common.Address(d.Contract).Hex()},
	}
	fields = append(fields, d.Call.fields()...)
	return writeFields(w, append(fields,
		field{"value", d.Value.String()},
		field{"gas limit", d.GasLimit},
		field{"gas price", "at most " + d.MaxGasPrice.String()},
		field{"gas", "at most " + d.MaxFee.String()},
		field{"in all", "at most " + d.MaxCost.String()},
		field{"simulated", "the contract would take it; nothing was sent"},
	))
}

// emitUnsigned writes a transaction for another machine to sign.
func (r *run) emitUnsigned(document *format.Transaction) error {
	if r.output == outputSafe {
		return r.writeSafe(document)
	}
	return format.Write(r.Out, format.KindUnsigned, document)
}

// openDocument opens a file, or stdin for "-". Reading it ends with ctx.
func (r *run) openDocument(ctx context.Context, file string) (io.ReadCloser, error) {
	if file != "-" {
		return input.Open(ctx, file)
	}
	if r.InTerminal {
		return nil, usagef("there is nothing on stdin: name a FILE, or pipe a document in")
	}
	return io.NopCloser(r.In), nil
}

// sendOptions are the options of pmctl tx send.
type sendOptions struct {
	network       networkOptions
	mining        miningOptions
	fees          feeOptions
	store         storeOptions
	pending       pendingOptions
	cancelsUnlock bool
}

func newTxSend(r *run) *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:   "send [FILE|-]",
		Short: "Send a transaction that another machine has signed",
		Long: `Send reads what pmctl tx sign wrote, checks again all that pmctl tx sign checks
(chain, account, contract, call, and what its gas may cost), and sends it. To
send the same file again is harmless: a transaction is mined once. No key is
opened. A funding that would cancel an unlock which is in progress by now needs
--cancel-unlock.`,
		Example: `  pmctl tx send signed.json
  pmctl tx send - --no-wait < signed.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.sendTx(cmd, &o, fileOrStdin(args))
		},
	}
	registerCancelsUnlock(cmd, &o.cancelsUnlock)
	o.network.register(cmd)
	o.network.registerContracts(cmd)
	o.mining.register(cmd)
	o.fees.register(cmd)
	o.store.register(cmd)
	o.pending.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

func (r *run) sendTx(cmd *cobra.Command, o *sendOptions, file string) error {
	in, err := r.openDocument(cmd.Context(), file)
	if err != nil {
		return err
	}
	defer in.Close()
	document, signed, err := format.ReadSigned(in)
	if err != nil {
		return err
	}
	config, err := r.config(&o.network, &o.store)
	if err != nil {
		return err
	}
	if err := wallet.CheckNetwork(&document.Transaction, config.Network); err != nil {
		return err
	}
	if config.Limits, err = o.fees.limits(r.Env); err != nil {
		return err
	}
	w, err := wallet.Open(cmd.Context(), config)
	if err != nil {
		return err
	}
	defer w.Close() // after everything else
	_, err = w.SendSigned(cmd.Context(), &document.Transaction, signed, o.pending.terms(), o.cancelsUnlock, r.waits(&o.mining))
	return err
}
