package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/tx"
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

// dryRun shows what would be sent. The contract would take it: that has been tried.
func (t *transacting) dryRun(p *tx.Prepared, says []string) error {
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
	network := t.client.Network()
	result := dryRunResult{
		Network: network.Name, ChainID: fmt.Sprint(network.ChainID), Account: format.Address(t.situation.account), Contract: format.Address(p.To), Call: call, Value: p.Value,
		GasLimit: fmt.Sprint(p.GasLimit), MaxGasPrice: price, MaxFee: p.MaxFee, MaxCost: cost, says: says,
	}
	return t.run.emit("pmctl.dry_run", result, result.write)
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

// unsigned writes the transaction for another machine to sign.
func (t *transacting) unsigned(ctx context.Context, p *tx.Prepared) error {
	nonce, err := t.client.PendingNonceAt(ctx, p.From)
	if err != nil {
		return err
	}
	feeCap, err := wei.FromBig(p.FeeCap)
	if err != nil {
		return err
	}
	document := format.Transaction{
		Network: t.client.Network().Name, ChainID: format.Nat(t.client.Network().ChainID), What: t.action.label, RequestID: t.options.requestID,
		From: format.Address(p.From), To: format.Address(p.To), Value: format.Amount{Wei: p.Value}, Data: p.Data,
		Nonce: format.Nat(nonce), GasLimit: format.Nat(p.GasLimit), MaxGasPrice: format.Amount{Wei: feeCap},
	}
	if !p.Legacy() {
		tip, err := wei.FromBig(p.TipCap)
		if err != nil {
			return err
		}
		document.MaxTip = &format.Amount{Wei: tip}
	}
	if t.run.output == outputSafe {
		return t.run.writeSafe(&document)
	}
	return format.Write(t.run.Out, format.KindUnsigned, document)
}

// errOtherNetwork is returned for a transaction that is meant for another network.
var errOtherNetwork = errors.New("the transaction is for another network")

func checkNetwork(t *format.Transaction, network chain.Network) error {
	if uint64(t.ChainID) == network.ChainID {
		return nil
	}
	return withHint(fmt.Errorf("%w: %s, chain id %d; the network here is %s, chain id %d", errOtherNetwork, t.Network, t.ChainID, network.Name, network.ChainID),
		"choose its network with --network, or with --controller and --chain-id")
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

type signOptions struct {
	network networkOptions
	keys    keyOptions
	yes     bool
}

func newTxSign(r *run) *cobra.Command {
	var o signOptions
	cmd := &cobra.Command{
		Use:   "sign [FILE|-]",
		Short: "Sign a transaction that another machine has prepared",
		Long: `Sign reads what a command with --unsigned wrote, shows the call as it is encoded
in it, asks, and writes the signed transaction. It needs no network: the chain
id must be that of the network that you choose.`,
		Example: `  pmctl fund --deposit 1eth --from 0x… --unsigned > unsigned.json
  pmctl tx sign unsigned.json > signed.json
  pmctl tx send signed.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return r.signTx(cmd.Context(), &o, fileOrStdin(args)) },
	}
	o.network.registerNetwork(cmd)
	o.keys.register(cmd)
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (r *run) signTx(ctx context.Context, o *signOptions, file string) error {
	r.output, r.outputByDefault = outputJSON, true
	if flag := o.keys.onStdin(); flag != "" && file == "-" {
		return usagef("stdin cannot give both the transaction and what %s reads: name a FILE, or another descriptor", flag)
	}
	in, err := r.openDocument(ctx, file)
	if err != nil {
		return err
	}
	defer in.Close()
	document, err := format.ReadUnsigned(in)
	if err != nil {
		return err
	}
	network, err := o.network.chooseNetwork(r.Env)
	if err != nil {
		return err
	}
	if err := checkNetwork(document, network); err != nil {
		return err
	}
	if err := r.showTransaction(document); err != nil {
		return err
	}
	if err := r.confirm(ctx, o.yes, "Sign it?"); err != nil {
		return err
	}
	account, err := o.keys.find(ctx, r.Env, common.Address(document.From), network.ChainID)
	if err != nil {
		return err
	}
	defer account.close()
	signer, err := account.unlock(ctx)
	if err != nil {
		return err
	}
	signed, err := signer.SignTx(document.Unsigned(), new(big.Int).SetUint64(network.ChainID))
	if err != nil {
		return err
	}
	result, err := format.NewSigned(*document, signed)
	if err != nil {
		return err
	}
	return format.Write(r.Out, format.KindSigned, result)
}

// showTransaction shows what would be signed: what is encoded, not what the document
// says about it.
func (r *run) showTransaction(t *format.Transaction) error {
	unsigned := t.Unsigned()
	call, err := describe(t.Data)
	if err != nil {
		return withHint(err, "pmctl signs calls of the TicketBroker only")
	}
	fee, err := wei.FromBig(tx.MaxFee(unsigned))
	if err != nil {
		return err
	}
	fields := []field{
		{"network", fmt.Sprintf("%q (chain id %d)", t.Network, t.ChainID)},
		{"account", common.Address(t.From).Hex()},
		{"contract", common.Address(t.To).Hex()},
	}
	fields = append(fields, call.fields()...)
	if r.quiet {
		return nil // signed without asking, or refused
	}
	return writeFields(r.Err, append(fields,
		field{"value", t.Value.String()},
		field{"gas", "at most " + fee.String()},
		field{"nonce", fmt.Sprint(t.Nonce)},
	))
}

func newTxSend(r *run) *cobra.Command {
	var network networkOptions
	var mining miningOptions
	var place storeOptions
	var cancelsUnlock bool
	cmd := &cobra.Command{
		Use:   "send [FILE|-]",
		Short: "Send a transaction that another machine has signed",
		Long: `Send reads what pmctl tx sign wrote, checks the chain, the contract and the
account, and sends it. To send the same file again is harmless: a transaction is
mined once. No key is opened. A funding that would cancel an unlock which is in
progress by now needs --cancel-unlock.`,
		Example: `  pmctl tx send signed.json
  pmctl tx send - --no-wait < signed.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.sendTx(cmd, &network, &mining, &place, cancelsUnlock, fileOrStdin(args))
		},
	}
	registerCancelsUnlock(cmd, &cancelsUnlock)
	network.register(cmd)
	network.registerContracts(cmd)
	mining.register(cmd)
	place.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

// errOtherContract is returned for a transaction to another contract than the network's.
var errOtherContract = errors.New("the transaction is not for the network's TicketBroker")

func (r *run) sendTx(cmd *cobra.Command, o *networkOptions, mining *miningOptions, place *storeOptions, cancelsUnlock bool, file string) error {
	in, err := r.openDocument(cmd.Context(), file)
	if err != nil {
		return err
	}
	defer in.Close()
	document, signed, err := format.ReadSigned(in)
	if err != nil {
		return err
	}
	ctx, cancel, err := o.bound(cmd.Context())
	if err != nil {
		return err
	}
	defer cancel()
	network, err := o.chooseNetwork(r.Env)
	if err != nil {
		return err
	}
	if err := checkNetwork(&document.Transaction, network); err != nil {
		return err
	}
	journal, err := r.openJournal(cmd.Context(), place, network)
	if err != nil {
		return err
	}
	defer journal.close() // after everything else
	client, err := r.dialPinned(ctx, o, journal.store)
	if err != nil {
		return err
	}
	defer client.Close()
	status, err := client.Status(ctx, common.Address(document.From))
	if err != nil {
		return err
	}
	if broker := status.Contracts.TicketBroker; common.Address(document.To) != broker {
		return fmt.Errorf("%w: it is to %v; the TicketBroker of %s is %v", errOtherContract, common.Address(document.To), client.Network().Name, broker)
	}
	if _, err := journal.Find(ctx, signed.Hash()); errors.Is(err, tx.ErrUnknown) && !cancelsUnlock {
		if err := checkUnlock(common.Address(document.From), document.Data, status); err != nil {
			return err
		}
	}
	intent, err := tx.SubmitSigned(ctx, client, journal, &tx.Intent{
		Account: common.Address(document.From), Nonce: uint64(document.Nonce), RequestID: document.RequestID, Label: document.What,
	}, signed)
	s := situation{client, status, common.Address(document.From)}
	if err == nil {
		err = r.awaitIntent(ctx, s, journal, intent, *mining, eventsOf(readAny))
	}
	if intent == nil {
		return err
	}
	return errors.Join(err, journal.End(context.WithoutCancel(ctx), intent, !leavesOpen(err)))
}
