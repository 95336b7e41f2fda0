package funds

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/pmctl/pmctl/wallet"
)

// NewWithdraw is pmctl withdraw.
func NewWithdraw(r *cli.Run) *cobra.Command {
	var o cli.TransactOptions
	cmd := &cobra.Command{
		Use:   "withdraw",
		Short: "Pay out the deposit and the reserve",
		Long: `Withdraw pays out the whole deposit and the whole reserve to your account, once
the unlock period is over. The contract knows no partial withdrawal.`,
		Example: `  pmctl withdraw
  pmctl withdraw --yes --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cli.Transact(r, cmd, &o, cli.Only(wallet.Withdraw()))
		},
	}
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputSafe)
	return cmd
}
