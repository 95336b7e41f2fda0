package cmd

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
)

func newWithdraw(r *run) *cobra.Command {
	var o transactOptions
	cmd := &cobra.Command{
		Use:   "withdraw",
		Short: "Pay out the deposit and the reserve",
		Long: `Withdraw pays out the whole deposit and the whole reserve to your account, once
the unlock period is over. The contract knows no partial withdrawal.`,
		Example: `  pmctl withdraw
  pmctl withdraw --yes --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.transact(cmd, &o, only(wallet.Withdraw())) },
	}
	o.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON, outputSafe)
	return cmd
}
