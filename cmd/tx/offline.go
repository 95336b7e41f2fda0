package tx

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
)

type signOptions struct {
	cli.WalletOptions
	contract string
	yes      bool
}

func newTxSign(r *cli.Run) *cobra.Command {
	var o signOptions
	cmd := &cobra.Command{
		Use:   "sign [FILE|-]",
		Short: "Sign a transaction prepared on another machine",
		Long: `Read what a command with --unsigned wrote, show the call that it encodes, ask
for confirmation, and write the signed transaction. No network is needed.

Only calls of the TicketBroker are signed, on the network that you choose, from
the account that you name, within --max-gas-price, --max-fee and the limits of
the config files. The contract of arbitrum-one-mainnet is built in; for other
networks the store has pinned it. Pass --contract for a network that is new to
this machine.`,
		Example: `  pmctl fund --deposit 1eth --from 0x… --unsigned > unsigned.json
  pmctl tx sign unsigned.json > signed.json
  pmctl tx send signed.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return signTx(cmd.Context(), r, &o, cli.FileOrStdin(args))
		},
	}
	cmd.Flags().StringVar(&o.contract, "contract", "", "`ADDRESS` of the TicketBroker of a network that is new to this machine")
	o.Network.RegisterNetwork(cmd)
	o.Account.RegisterFrom(cmd, "`ADDRESS` of the account to sign with (default $ETH_FROM, else the sender of the transaction)")
	o.Account.Keys.Register(cmd)
	o.Limits.RegisterFees(cmd)
	o.Store.Register(cmd)
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "skip the confirmation")
	r.OutputFlag(cmd, cli.OutputJSON)
	return cmd
}

func signTx(ctx context.Context, r *cli.Run, o *signOptions, file string) error {
	if flag := o.Account.Keys.OnStdin(); flag != "" && file == "-" {
		return cli.Usagef("stdin cannot give both the transaction and what %s reads: name a FILE, or another descriptor", flag)
	}
	document, err := cli.ReadDocument(ctx, r, file, format.ReadUnsigned)
	if err != nil {
		return err
	}
	config, err := o.config(r.Env)
	if err != nil {
		return err
	}
	named, err := o.named(r.Env)
	if err != nil {
		return err
	}
	call, err := wallet.CheckUnsigned(ctx, config, document, named)
	if err != nil {
		return err
	}
	showTransaction(r, document, call)
	question := "Sign it?"
	if o.contract != "" {
		question = fmt.Sprintf("Sign this call of %v, which --contract names?", named.Contract)
	}
	if err := r.Confirm(ctx, o.yes, question); err != nil {
		return err
	}
	account, err := o.Account.Keys.Find(ctx, r.Env, (*common.Address)(&document.From), config.Network.ChainID)
	if err != nil {
		return err
	}
	defer account.Close()
	signed, err := call.Sign(ctx, account)
	if err != nil {
		return err
	}
	return format.Write(r.Out, format.KindSigned, signed)
}

// config says which network and which limits apply.
func (o *signOptions) config(env *cli.Env) (c wallet.Config, err error) {
	if c.Network, err = o.Network.ChooseNetwork(env); err != nil {
		return c, err
	}
	if c.PinnedIn, err = o.Store.Choose(env); err != nil {
		return c, err
	}
	c.Limits, err = o.Limits.Limits(env)
	return c, err
}

// named is what the user names of a transaction.
func (o *signOptions) named(env *cli.Env) (n wallet.SignOptions, err error) {
	from := ""
	if from, n.FromSetIn, err = env.Find(o.Account.From, cli.SettingFrom()); err == nil && from != "" {
		n.From, err = cli.ParseAddress(n.FromSetIn, from)
	}
	if err == nil && o.contract != "" {
		n.Contract, err = cli.ParseAddress("--contract", o.contract)
	}
	return n, err
}

// showTransaction shows what would be signed: what is encoded, not what the document says about it.
func showTransaction(r *cli.Run, t *format.Transaction, call *wallet.UnsignedCall) {
	fields := []page.Field{
		{"network", fmt.Sprintf("%q (chain ID %d)", t.Network, t.ChainID)},
		{"account", common.Address(t.From).Hex()},
		{"contract", "TicketBroker at " + common.Address(t.To).Hex()},
	}
	fields = append(fields, cli.CallFields(call.Call)...)
	fields = append(fields,
		page.Field{"value", t.Value.String()},
		page.Field{"gas price", "at most " + t.MaxGasPrice.String()},
		page.Field{"gas", "at most " + call.MaxFee.String()},
		page.Field{"nonce", fmt.Sprint(t.Nonce)},
	)
	cli.NoteFields(r, fields)
	for _, sentence := range call.Says() {
		r.Note("%s", sentence)
	}
}

type sendOptions struct {
	intentOptions
	terms         wallet.Terms
	cancelsUnlock bool
}

func newTxSend(r *cli.Run) *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:   "send [FILE|-]",
		Short: "Send a transaction signed on another machine",
		Long: `Send the transaction that pmctl tx sign wrote, after the checks of pmctl tx sign
(chain, account, contract, call, gas cost). Sending a file twice is harmless: a
transaction is mined once. No key is opened. Funding that would cancel an unlock
in progress requires --cancel-unlock.`,
		Example: `  pmctl tx send signed.json
  pmctl tx send - --no-wait < signed.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return sendTx(r, cmd, &o, cli.FileOrStdin(args))
		},
	}
	cli.RegisterCancelsUnlock(cmd, &o.cancelsUnlock)
	o.register(cmd)
	cli.RegisterWait(r, cmd, &o.wait)
	o.Limits.RegisterFees(cmd)
	cli.RegisterTerms(cmd, &o.terms)
	return cmd
}

func sendTx(r *cli.Run, cmd *cobra.Command, o *sendOptions, file string) error {
	in, err := cli.OpenDocument(cmd.Context(), r, file)
	if err != nil {
		return err
	}
	defer in.Close()
	document, err := format.ReadSigned(in)
	if err != nil {
		return cli.WithSource(file, err)
	}
	config, err := cli.LimitedConfig(r, &o.WalletOptions)
	if err != nil {
		return err
	}
	w, err := wallet.Open(cmd.Context(), config)
	if err != nil {
		return err
	}
	defer w.Close() // after everything else
	_, err = w.SendSigned(cmd.Context(), document, o.terms, o.cancelsUnlock, o.wait)
	return err
}
