package cmd

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

type signOptions struct {
	network  networkOptions
	account  accountOptions
	fees     feeOptions
	store    storeOptions
	contract string
	yes      bool
}

func newTxSign(r *run) *cobra.Command {
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
		RunE: func(cmd *cobra.Command, args []string) error { return r.signTx(cmd.Context(), &o, fileOrStdin(args)) },
	}
	cmd.Flags().StringVar(&o.contract, "contract", "", "`ADDRESS` of the TicketBroker of a network that this machine does not know")
	o.network.registerNetwork(cmd)
	cmd.Flags().StringVar(&o.account.from, "from", "", "`ADDRESS` of the account that signs (default $ETH_FROM, else the transaction's)")
	o.account.keys.register(cmd)
	o.fees.register(cmd)
	o.store.register(cmd)
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (r *run) signTx(ctx context.Context, o *signOptions, file string) error {
	r.output, r.outputByDefault = outputJSON, true
	if flag := o.account.keys.onStdin(); flag != "" && file == "-" {
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
	if err := wallet.CheckNetwork(document, network); err != nil {
		return err
	}
	if err := o.account.checkSigns(r.Env, common.Address(document.From)); err != nil {
		return err
	}
	broker, err := o.ticketBroker(ctx, r.Env, network)
	if err != nil {
		return err
	}
	limits, err := o.fees.limits(r.Env)
	if err != nil {
		return err
	}
	call, err := wallet.CheckTransaction(document, network, broker, limits)
	if err != nil {
		return err
	}
	if err := r.showTransaction(document, call); err != nil {
		return err
	}
	question := "Sign it?"
	if o.contract != "" {
		question = fmt.Sprintf("Sign this call of %v, which --contract names?", broker)
	}
	if err := r.confirm(ctx, o.yes, question); err != nil {
		return err
	}
	account, err := o.account.keys.find(ctx, r.Env, common.Address(document.From), network.ChainID)
	if err != nil {
		return err
	}
	defer account.Close()
	signer, err := account.Unlock(ctx)
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

// checkSigns refuses a transaction of another account than the one that is named.
func (o *accountOptions) checkSigns(env *Env, sender common.Address) error {
	named, from, err := env.find(o.from, settingFrom())
	if err != nil || named == "" {
		return err
	}
	account, err := parseAddress(from, named)
	if err != nil {
		return err
	}
	if account != sender {
		return withHint(fmt.Errorf("%w: it is from %v, and %s names %v", errOtherAccount, sender, from, account),
			"to sign it, name its account: --from %v", sender)
	}
	return nil
}

// ticketBroker is the contract that may be called: the one that this machine knows, or
// else the one that --contract names.
func (o *signOptions) ticketBroker(ctx context.Context, env *Env, network chain.Network) (common.Address, error) {
	known, ok, err := knownContracts(ctx, env, network, &o.store)
	if err != nil {
		return common.Address{}, err
	}
	if o.contract == "" {
		if !ok {
			return common.Address{}, withHint(usagef("this machine does not know the TicketBroker of %s (chain id %d)", network.Name, network.ChainID),
				"pass --contract ADDRESS; pmctl status shows the address on a machine with a node")
		}
		return known.TicketBroker, nil
	}
	named, err := parseAddress("--contract", o.contract)
	if err != nil {
		return common.Address{}, err
	}
	if ok && named != known.TicketBroker {
		return common.Address{}, withHint(usagef("--contract names %v, and the TicketBroker of %s is %v", named, network.Name, known.TicketBroker), "leave --contract out")
	}
	return named, nil
}

// showTransaction shows what would be signed: what is encoded, not what the document
// says about it.
func (r *run) showTransaction(t *format.Transaction, call *contract.Call) error {
	if r.quiet {
		return nil // signed without asking, or refused
	}
	described, err := describe(t.Data)
	if err != nil {
		return err
	}
	fee, err := wei.FromBig(tx.MaxFee(t.Unsigned()))
	if err != nil {
		return err
	}
	fields := []field{
		{"network", fmt.Sprintf("%q (chain id %d)", t.Network, t.ChainID)},
		{"account", common.Address(t.From).Hex()},
		{"contract", "TicketBroker at " + common.Address(t.To).Hex()},
	}
	fields = append(fields, described.fields()...)
	fields = append(fields,
		field{"value", t.Value.String()},
		field{"gas price", "at most " + t.MaxGasPrice.String()},
		field{"gas", "at most " + fee.String()},
		field{"nonce", fmt.Sprint(t.Nonce)},
	)
	if err := writeFields(r.Err, fields); err != nil {
		return err
	}
	for _, sentence := range inWords(call, common.Address(t.From)) {
		r.note("%s", sentence)
	}
	return nil
}

// inWords says what a call does when account makes it.
func inWords(c *contract.Call, account common.Address) []string {
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
		return []string{fmt.Sprintf("This redeems %s for their recipient. Your account pays the gas.", plural(fmt.Sprint(c.Tickets), "ticket"))}
	case c.Function == "unlock":
		return []string{"This starts the unlock period of your deposit and reserve: recipients take no tickets meanwhile."}
	case c.Function == "cancelUnlock":
		return []string{"This cancels the unlock that is in progress: your funds become locked again."}
	}
	return []string{"This withdraws all of your deposit and your reserve to your account."}
}
