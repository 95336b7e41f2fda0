package tx

import (
	"context"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

type signOptions struct {
	network  cli.NetworkOptions
	account  cli.AccountOptions
	limits   cli.LimitOptions
	store    cli.StoreOptions
	contract string
	yes      bool
}

func newTxSign(r *cli.Run) *cobra.Command {
	var o signOptions
	cmd := &cobra.Command{
		Use:   "sign [FILE|-]",
		Short: "Sign a transaction that another machine has prepared",
		Long: `Sign reads what a command with --unsigned wrote, shows the call as it is encoded
in it, asks, and writes the signed transaction. It needs no network.

It signs a call of the TicketBroker only, on the network that you choose, from
the account that you name, and within --max-gas-price, --max-fee and the config
files' limits. It knows the contract of arbitrum-one-mainnet, and of any other
network what the store has pinned; for a network that is new to this machine,
name the contract with --contract.`,
		Example: `  pmctl fund --deposit 1eth --from 0x… --unsigned > unsigned.json
  pmctl tx sign unsigned.json > signed.json
  pmctl tx send signed.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return signTx(cmd.Context(), r, &o, cli.FileOrStdin(args))
		},
	}
	cmd.Flags().StringVar(&o.contract, "contract", "", "`ADDRESS` of the TicketBroker of a network that this machine does not know")
	o.network.RegisterNetwork(cmd)
	cmd.Flags().StringVar(&o.account.From, "from", "", "`ADDRESS` of the account that signs (default $ETH_FROM, else the transaction's)")
	o.account.Keys.Register(cmd)
	o.limits.RegisterFees(cmd)
	o.store.Register(cmd)
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

func signTx(ctx context.Context, r *cli.Run, o *signOptions, file string) error {
	r.Output, r.OutputByDefault = cli.OutputJSON, true
	if flag := o.account.Keys.OnStdin(); flag != "" && file == "-" {
		return cli.Usagef("stdin cannot give both the transaction and what %s reads: name a FILE, or another descriptor", flag)
	}
	in, err := cli.OpenDocument(ctx, r, file)
	if err != nil {
		return err
	}
	defer in.Close()
	document, err := format.ReadUnsigned(in)
	if err != nil {
		return err
	}
	network, err := o.network.ChooseNetwork(r.Env)
	if err != nil {
		return err
	}
	if err := wallet.CheckNetwork(document, network); err != nil {
		return err
	}
	if err := checkSigns(&o.account, r.Env, common.Address(document.From)); err != nil {
		return err
	}
	broker, err := o.ticketBroker(ctx, r.Env, network)
	if err != nil {
		return err
	}
	limits, err := o.limits.Limits(r.Env)
	if err != nil {
		return err
	}
	call, err := wallet.CheckTransaction(document, network, broker, limits)
	if err != nil {
		return err
	}
	if err := showTransaction(r, document, call); err != nil {
		return err
	}
	question := "Sign it?"
	if o.contract != "" {
		question = fmt.Sprintf("Sign this call of %v, which --contract names?", broker)
	}
	if err := r.Confirm(ctx, o.yes, question); err != nil {
		return err
	}
	account, err := o.account.Keys.Find(ctx, r.Env, common.Address(document.From), network.ChainID)
	if err != nil {
		return err
	}
	defer account.Close()
	key, err := account.Unlock(ctx)
	if err != nil {
		return err
	}
	signed, err := key.SignTx(ctx, document.Unsigned(), new(big.Int).SetUint64(network.ChainID))
	if err != nil {
		return err
	}
	result, err := format.NewSigned(*document, signed)
	if err != nil {
		return err
	}
	return format.Write(r.Out, format.KindSigned, result)
}

// checkSigns refuses a transaction of another account than the one that is named.
func checkSigns(o *cli.AccountOptions, env *cli.Env, sender common.Address) error {
	named, from, err := env.Find(o.From, cli.SettingFrom())
	if err != nil || named == "" {
		return err
	}
	account, err := cli.ParseAddress(from, named)
	if err != nil {
		return err
	}
	if account != sender {
		return cli.WithHint(fmt.Errorf("%w: it is from %v, and %s names %v", cli.ErrOtherAccount, sender, from, account),
			"to sign it, name its account: --from %v", sender)
	}
	return nil
}

// ticketBroker is the contract that may be called: the one that this machine knows, or
// else the one that --contract names.
func (o *signOptions) ticketBroker(ctx context.Context, env *cli.Env, network chain.Network) (common.Address, error) {
	known, ok, err := cli.KnownContracts(ctx, env, network, &o.store)
	if err != nil {
		return common.Address{}, err
	}
	if o.contract == "" {
		if !ok {
			return common.Address{}, cli.WithHint(cli.Usagef("this machine does not know the TicketBroker of %s (chain id %d)", network.Name, network.ChainID),
				"pass --contract ADDRESS; pmctl status shows the address on a machine with a node")
		}
		return known.TicketBroker, nil
	}
	named, err := cli.ParseAddress("--contract", o.contract)
	if err != nil {
		return common.Address{}, err
	}
	if ok && named != known.TicketBroker {
		return common.Address{}, cli.WithHint(cli.Usagef("--contract names %v, and the TicketBroker of %s is %v", named, network.Name, known.TicketBroker), "leave --contract out")
	}
	return named, nil
}

// showTransaction shows what would be signed: what is encoded, not what the document
// says about it.
func showTransaction(r *cli.Run, t *format.Transaction, call *broker.Call) error {
	if r.Quiet {
		return nil // signed without asking, or refused
	}
	fee, err := wei.FromBig(tx.MaxFee(t.Unsigned()))
	if err != nil {
		return err
	}
	fields := []cli.Field{
		{"network", fmt.Sprintf("%q (chain id %d)", t.Network, t.ChainID)},
		{"account", common.Address(t.From).Hex()},
		{"contract", "TicketBroker at " + common.Address(t.To).Hex()},
	}
	fields = append(fields, cli.Describe(call).Fields()...)
	fields = append(fields,
		cli.Field{"value", t.Value.String()},
		cli.Field{"gas price", "at most " + t.MaxGasPrice.String()},
		cli.Field{"gas", "at most " + fee.String()},
		cli.Field{"nonce", fmt.Sprint(t.Nonce)},
	)
	if err := cli.WriteFields(r.Err, fields); err != nil {
		return err
	}
	for _, sentence := range inWords(call, common.Address(t.From)) {
		r.Note("%s", sentence)
	}
	return nil
}

// inWords says what a call does when account makes it.
func inWords(c *broker.Call, account common.Address) []string {
	switch {
	case c.Deposit != nil:
		whose := "your"
		if c.Beneficiary != nil && *c.Beneficiary != account {
			whose = c.Beneficiary.Hex() + "'s"
		}
		said := []string{fmt.Sprintf("This adds %s to %s deposit and %s to %s reserve.", wei.Text(c.Deposit), whose, wei.Text(c.Reserve), whose)}
		if whose != "your" {
			said = append(said, fmt.Sprintf("The funds become %s own: you cannot take them back, only that account can withdraw them.", whose))
		}
		return said
	case c.Tickets > 0:
		return []string{fmt.Sprintf("This redeems %s for their recipient. Your account pays the gas.", cli.Plural(fmt.Sprint(c.Tickets), "ticket"))}
	case c.Function == "unlock":
		return []string{"This starts the unlock period of your deposit and reserve: recipients take no tickets meanwhile."}
	case c.Function == "cancelUnlock":
		return []string{"This cancels the unlock that is in progress: your funds become locked again."}
	}
	return []string{"This withdraws all of your deposit and your reserve to your account."}
}
