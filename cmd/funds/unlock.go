package funds

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
)

// NewUnlock is pmctl unlock, with its subcommand cancel.
func NewUnlock(r *cli.Run) *cobra.Command {
	cmd := newAction(r, wallet.Unlock, &cobra.Command{
		Use:   "unlock",
		Short: "Start the unlock period before a withdrawal",
		Long: `Start the unlock period. After it, pmctl withdraw returns the deposit and the
reserve, both in full. Your tickets stay redeemable until then, but recipients
stop accepting new ones shortly before.`,
		Example: `  pmctl unlock
  pmctl unlock --yes --output json`,
	})
	cmd.AddCommand(newAction(r, wallet.CancelUnlock, &cobra.Command{
		Use:   "cancel",
		Short: "Cancel the unlock and keep the funds",
		Long: `Cancel an unlock in progress. The deposit and the reserve are locked again, and
recipients accept your tickets.`,
		Example: `  pmctl unlock cancel`,
	}))
	return cmd
}

// NewWithdraw is pmctl withdraw.
func NewWithdraw(r *cli.Run) *cobra.Command {
	return newAction(r, wallet.Withdraw, &cobra.Command{
		Use:   "withdraw",
		Short: "Withdraw the deposit and the reserve",
		Long: `Return the whole deposit and the whole reserve to your account, once the unlock
period has ended. The contract has no partial withdrawal.`,
		Example: `  pmctl withdraw
  pmctl withdraw --yes --output json`,
	})
}

// newAction is a command that does one thing with the contract.
func newAction(r *cli.Run, action func() wallet.Action, cmd *cobra.Command) *cobra.Command {
	var o cli.TransactOptions
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return cli.Transact(r, cmd, &o, func(*wallet.Wallet) wallet.Action { return action() })
	}
	o.Register(r, cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputSafe)
	return cmd
}
