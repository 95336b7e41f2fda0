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
		RunE: func(cmd *cobra.Command, _ []string) error { return runFund(r, cmd, &o) },
	}
	cmd.Flags().StringVar(&o.deposit, "deposit", "", "`AMOUNT` to add to the deposit, with its unit: 0.1eth, 25gwei or 1000wei")
	cmd.Flags().StringVar(&o.reserve, "reserve", "", "`AMOUNT` to add to the reserve, with its unit")
	cmd.Flags().StringVar(&o.beneficiary, "for", "", "`ADDRESS` whose deposit and reserve to fund, in place of your own")
	cli.RegisterCancelsUnlock(cmd, &o.cancelsUnlock)
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputSafe)
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
		return cli.Usagef("say how much to fund: --deposit AMOUNT, --reserve AMOUNT, or both")
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
