// Package funds has the commands that move the deposit and the reserve: fund, unlock,
// withdraw, exit.
package funds

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/wei"
)

type fundOptions struct {
	cli.TransactOptions
	deposit, reserve string
	beneficiary      string
	cancelsUnlock    bool
}

// NewFund is pmctl fund.
func NewFund(r *cli.Run) *cobra.Command {
	var o fundOptions
	cmd := &cobra.Command{
		Use:   "fund --deposit AMOUNT --reserve AMOUNT [--for ADDRESS]",
		Short: "Add to the deposit and the reserve",
		Long: `Move ether from your account to the TicketBroker contract. The deposit pays
winning tickets. The reserve backs them: recipients choose the face value of
their tickets by it, and it pays what a face value exceeds the deposit by.

Amounts are added to what is there. Without amounts, pmctl asks for them if
stdin is a terminal. pmctl unlock and pmctl withdraw return both together.

Funding your own account cancels an unlock in progress: deposit and reserve are
locked again. pmctl does that only with --cancel-unlock, or after you confirm
it. Funding another account with --for does not change its unlock.`,
		Example: `  pmctl fund
  pmctl fund --deposit 0.1eth --reserve 0.05eth
  pmctl fund --deposit 50000gwei --yes --output json
  pmctl fund --deposit 1eth --from 0x… --unsigned --output safe`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runFund(r, cmd, &o) },
	}
	cmd.Flags().StringVar(&o.deposit, "deposit", "", "add `AMOUNT` to the deposit: 0.1eth, 25gwei or 1000wei")
	cmd.Flags().StringVar(&o.reserve, "reserve", "", "add `AMOUNT` to the reserve")
	cmd.Flags().StringVar(&o.beneficiary, "for", "", "fund the deposit and the reserve of `ADDRESS` instead of your own")
	cli.RegisterCancelsUnlock(cmd, &o.cancelsUnlock)
	o.Register(r, cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputSafe)
	cmd.AddCommand(newAuto(r))
	return cmd
}

func runFund(r *cli.Run, cmd *cobra.Command, o *fundOptions) error {
	if o.deposit == "" && o.reserve == "" {
		if err := askFunding(r, cmd); err != nil {
			return err
		}
	}
	f := wallet.Funding{CancelUnlock: o.cancelsUnlock}
	var err error
	if f.Deposit, f.Reserve, err = amounts("--deposit", o.deposit, "--reserve", o.reserve); err != nil {
		return err
	}
	if f.Deposit.IsZero() && f.Reserve.IsZero() {
		return cli.Usagef("there is nothing to fund: --deposit and --reserve are both 0")
	}
	if f.Beneficiary, err = beneficiary(o.beneficiary); err != nil {
		return err
	}
	asks := cli.AsksFor(r, &o.TransactOptions)
	return cli.Transact(r, cmd, &o.TransactOptions, func(w *wallet.Wallet) wallet.Action { return w.Funding(f, asks) })
}

// amounts reads two flags whose sum is an amount, too.
func amounts(first, deposit, second, reserve string) (d, r wei.Wei, err error) {
	if d, err = cli.ParseAmount(first, deposit); err != nil {
		return d, r, err
	}
	if r, err = cli.ParseAmount(second, reserve); err != nil {
		return d, r, err
	}
	if _, err = d.Add(r); err != nil {
		err = cli.Usage(err)
	}
	return d, r, err
}

// beneficiary reads the account of --for; the zero address for none.
func beneficiary(text string) (address common.Address, err error) {
	if text == "" {
		return address, nil
	}
	if address, err = cli.ParseAddress("--for", text); err == nil && address == (common.Address{}) {
		err = cli.Usagef("--for: the zero address belongs to no account: its funds would be lost")
	}
	return address, err
}

// askFunding asks a person for what the command line does not say.
func askFunding(r *cli.Run, cmd *cobra.Command) error {
	if !r.Asks() {
		return cli.Usagef("no amount to fund: pass --deposit AMOUNT, --reserve AMOUNT, or both")
	}
	for _, part := range []string{"deposit", "reserve"} {
		amount, err := cli.AskAmount(cmd.Context(), r, "Add to the "+part)
		if err == nil && amount != "" {
			err = cmd.Flags().Set(part, amount)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
