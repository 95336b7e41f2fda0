package cmd

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

type fundOptions struct {
	transactOptions
	deposit, reserve string
	beneficiary      string
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
to what is there. At a terminal pmctl fund alone asks for them.`,
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
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON, outputSafe)
	return cmd
}

func (r *run) fund(cmd *cobra.Command, o *fundOptions) error {
	if o.deposit == "" && o.reserve == "" {
		if err := r.askFunding(cmd); err != nil {
			return err
		}
	}
	deposit, err := parseAmount("--deposit", o.deposit)
	if err != nil {
		return err
	}
	reserve, err := parseAmount("--reserve", o.reserve)
	if err != nil {
		return err
	}
	total, err := deposit.Add(reserve)
	if err != nil {
		return &usageError{err}
	}
	if total.IsZero() {
		return usagef("there is nothing to fund: --deposit and --reserve are both 0")
	}
	var beneficiary common.Address
	if o.beneficiary != "" {
		if beneficiary, err = parseAddress("--for", o.beneficiary); err != nil {
			return err
		}
		if beneficiary == (common.Address{}) {
			return usagef("--for: the zero address is nobody's: what it is given is lost")
		}
	}
	return r.transact(cmd, &o.transactOptions, fundAction(beneficiary, deposit, reserve, total))
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

func fundAction(beneficiary common.Address, deposit, reserve, total wei.Wei) action {
	label := fmt.Sprintf("fund %s of deposit and %s of reserve", deposit, reserve)
	if beneficiary != (common.Address{}) {
		label += " for " + beneficiary.Hex()
	}
	return action{
		label: label,
		plan: func(_ context.Context, s situation) (proposal, error) {
			return proposeFunding(s, beneficiary, deposit, reserve, total), nil
		},
		report: eventsOf(readFunding),
	}
}

func proposeFunding(s situation, beneficiary common.Address, deposit, reserve, total wei.Wei) proposal {
	broker := contract.NewTicketBroker()
	whose := "your"
	data := broker.PackFundDepositAndReserve(deposit.Big(), reserve.Big())
	var say []string
	switch {
	case beneficiary != (common.Address{}) && beneficiary != s.account:
		whose = beneficiary.Hex() + "'s"
		data = broker.PackFundDepositAndReserveFor(beneficiary, deposit.Big(), reserve.Big())
		say = append(say, fmt.Sprintf("The funds become %s own: you cannot take them back, only that account can withdraw them.", whose))
	case s.status.Sender.Unlocking():
		say = append(say, "This cancels the unlock that is in progress: your funds become locked again.")
	}
	return proposal{
		call: tx.Call{To: s.status.Contracts.TicketBroker, Value: total, Data: data},
		say:  append([]string{fmt.Sprintf("This adds %s to %s deposit and %s to %s reserve.", deposit, whose, reserve, whose)}, say...),
		ask:  fmt.Sprintf("Move %s to the contract?", total),
	}
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
