package cmd

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

type fundOptions struct {
	transactOptions
	deposit, reserve string
	beneficiary      string
	cancelsUnlock    bool
}

func newFund(r *run) *cobra.Command {
	var o fundOptions
	cmd := &cobra.Command{
		Use:   "fund --deposit AMOUNT --reserve AMOUNT [--for ADDRESS]",
		Short: "Add to the deposit and the reserve",
		Long: `Fund moves ether from your account to the TicketBroker contract. The deposit
pays winning tickets. The reserve backs them: recipients look at it when they
choose their tickets' face value, and it pays what a face value exceeds the
deposit by.

Both come back together, with pmctl unlock and pmctl withdraw. Amounts are added
to what is there. At a terminal pmctl fund alone asks for them.

While an unlock is in progress, funding your own account cancels it: everything
is locked again. That needs --cancel-unlock, or your yes at a terminal. Funding
another account with --for leaves its unlock as it is.`,
		Example: `  pmctl fund
  pmctl fund --deposit 0.1eth --reserve 0.05eth
  pmctl fund --deposit 50000gwei --yes --output json
  pmctl fund --deposit 1eth --from 0x… --unsigned --output safe`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.fund(cmd, &o) },
	}
	cmd.Flags().StringVar(&o.deposit, "deposit", "", "`AMOUNT` to add to the deposit, with its unit: 0.1eth, 25gwei or 1000wei")
	cmd.Flags().StringVar(&o.reserve, "reserve", "", "`AMOUNT` to add to the reserve, with its unit")
	cmd.Flags().StringVar(&o.beneficiary, "for", "", "`ADDRESS` whose deposit and reserve to fund, in place of your own")
	registerCancelsUnlock(cmd, &o.cancelsUnlock)
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON, outputSafe)
	cmd.AddCommand(newFundPlan(r))
	return cmd
}

func (r *run) fund(cmd *cobra.Command, o *fundOptions) error {
	if o.deposit == "" && o.reserve == "" {
		if err := r.askFunding(cmd); err != nil {
			return err
		}
	}
	f := funding{cancelsUnlock: o.cancelsUnlock, asks: r.asksFor(&o.transactOptions), note: r.note}
	var err error
	if f.deposit, err = parseAmount("--deposit", o.deposit); err != nil {
		return err
	}
	if f.reserve, err = parseAmount("--reserve", o.reserve); err != nil {
		return err
	}
	if f.total, err = f.deposit.Add(f.reserve); err != nil {
		return &usageError{err}
	}
	if f.total.IsZero() {
		return usagef("there is nothing to fund: --deposit and --reserve are both 0")
	}
	if o.beneficiary != "" {
		if f.beneficiary, err = parseAddress("--for", o.beneficiary); err != nil {
			return err
		}
		if f.beneficiary == (common.Address{}) {
			return usagef("--for: the zero address is nobody's: what it is given is lost")
		}
	}
	return r.transact(cmd, &o.transactOptions, f.action())
}

// askFunding asks a person for what the command line does not say.
func (r *run) askFunding(cmd *cobra.Command) error {
	if !r.asks() {
		return usagef("say how much to fund: --deposit AMOUNT, --reserve AMOUNT, or both")
	}
	for _, part := range []string{"deposit", "reserve"} {
		amount, err := r.askAmount(cmd.Context(), "Add to the "+part)
		if err == nil {
			err = setFlag(cmd, part, amount)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// funding is what to add to a deposit and a reserve.
type funding struct {
	beneficiary             common.Address // zero for the account's own
	deposit, reserve, total wei.Wei

	// cancelsUnlock tells that an unlock in progress may be cancelled, asks that a person
	// will be asked for it.
	cancelsUnlock, asks bool

	// note tells the user what could not be checked.
	note func(text string, args ...any)
}

func (f funding) action() action {
	return action{
		label:  tx.FundLabel(f.deposit, f.reserve, f.beneficiary),
		plan:   f.plan,
		report: f.report,
	}
}

// plan proposes a funding that the contract was seen to do in a simulation, where the
// node can show that.
func (f funding) plan(ctx context.Context, s situation) (proposal, error) {
	p, err := f.propose(s)
	if err != nil {
		return p, err
	}
	call := ethereum.CallMsg{From: s.account, To: &p.call.To, Value: p.call.Value.Big(), Data: p.call.Data}
	return p, s.client.SimulateFunding(ctx, call, f.of(s))
}

// report fails for a funding that the contract's events, or the deposit and the reserve
// themselves, do not show.
func (f funding) report(ctx context.Context, s situation, receipt *types.Receipt, result *transactionResult) error {
	compared, err := s.client.CheckFunding(ctx, receipt, f.of(s))
	if err != nil {
		return err
	}
	if !compared && f.note != nil {
		f.note("the deposit and the reserve before and after block %v were not compared: the node no longer shows them, or others changed them in that block", receipt.BlockNumber)
	}
	return eventsOf(readOwnFunding)(ctx, s, receipt, result)
}

// of is the funding as the contract sees it.
func (f funding) of(s situation) chain.Funding {
	whose := f.beneficiary
	if whose == (common.Address{}) {
		whose = s.account
	}
	return chain.Funding{Sender: whose, Deposit: f.deposit.Big(), Reserve: f.reserve.Big()}
}

func (f funding) propose(s situation) (proposal, error) {
	broker := contract.NewTicketBroker()
	whose, and := "your", ""
	data := broker.PackFundDepositAndReserve(f.deposit.Big(), f.reserve.Big())
	var say []string
	switch {
	case f.beneficiary != (common.Address{}) && f.beneficiary != s.account:
		whose = f.beneficiary.Hex() + "'s"
		data = broker.PackFundDepositAndReserveFor(f.beneficiary, f.deposit.Big(), f.reserve.Big())
		say = append(say, fmt.Sprintf("The funds become %s own: you cannot take them back, only that account can withdraw them.", whose))
	case s.status.Sender.Unlocking():
		if !f.cancelsUnlock && !f.asks {
			return proposal{}, &unlockingError{s.status.Sender.WithdrawRound}
		}
		and = ", and cancel the unlock"
		say = append(say, "This cancels the unlock that is in progress: your funds become locked again.")
	}
	return proposal{
		call: tx.Call{To: s.status.Contracts.TicketBroker, Value: f.total, Data: data},
		say:  append([]string{fmt.Sprintf("This adds %s to %s deposit and %s to %s reserve.", f.deposit, whose, f.reserve, whose)}, say...),
		ask:  fmt.Sprintf("Move %s to the contract%s?", f.total, and),
	}, nil
}

// readOwnFunding reads what a funding does, to an unlock as well.
func readOwnFunding(log *types.Log) (event, bool) {
	if e, ok := readFunding(log); ok {
		return e, true
	}
	return readCancel(log)
}

func readFunding(log *types.Log) (event, bool) {
	broker := contract.NewTicketBroker()
	if e, err := broker.UnpackDepositFundedEvent(log); err == nil {
		return amountEvent("DepositFunded", "deposit", e.Sender, e.Amount)
	}
	if e, err := broker.UnpackReserveFundedEvent(log); err == nil {
		return amountEvent("ReserveFunded", "reserve", e.ReserveHolder, e.Amount)
	}
	return event{}, false
}

// parseAmount reads an amount of a flag; a flag that is not given is 0.
func parseAmount(flag, text string) (wei.Wei, error) {
	if text == "" {
		return wei.Wei{}, nil
	}
	amount, err := wei.Parse(text)
	if err != nil {
		return wei.Wei{}, &usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	return amount, nil
}
