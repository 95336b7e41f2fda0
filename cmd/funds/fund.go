// Package funds has the commands that move the deposit and the reserve: fund, unlock,
// withdraw, exit.
package funds

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
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
	o.Register(cmd)
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
	if f.Deposit, err = cli.ParseAmount("--deposit", o.deposit); err != nil {
		return err
	}
	if f.Reserve, err = cli.ParseAmount("--reserve", o.reserve); err != nil {
		return err
	}
	total, err := f.Deposit.Add(f.Reserve)
	if err != nil {
		return cli.Usage(err)
	}
	if total.IsZero() {
		return cli.Usagef("there is nothing to fund: --deposit and --reserve are both 0")
	}
	if o.beneficiary != "" {
		if f.Beneficiary, err = cli.ParseAddress("--for", o.beneficiary); err != nil {
			return err
		}
		if f.Beneficiary == (common.Address{}) {
			return cli.Usagef("--for: the zero address belongs to no account: its funds would be lost")
		}
	}
	asks := cli.AsksFor(r, &o.TransactOptions)
	return cli.Transact(r, cmd, &o.TransactOptions, func(w *wallet.Wallet) wallet.Action { return w.Funding(f, asks) })
}

// askFunding asks a person for what the command line does not say.
func askFunding(r *cli.Run, cmd *cobra.Command) error {
	if !r.Asks() {
		return cli.Usagef("no amount to fund: pass --deposit AMOUNT, --reserve AMOUNT, or both")
	}
	for _, part := range []string{"deposit", "reserve"} {
		amount, err := cli.AskAmount(cmd.Context(), r, "Add to the "+part)
		if err == nil {
			err = cli.SetFlag(cmd, part, amount)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
