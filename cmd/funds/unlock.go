package funds

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/pmctl/pmctl/wallet"
)

// NewUnlock is pmctl unlock, with its subcommand cancel.
func NewUnlock(r *cli.Run) *cobra.Command {
	var o cli.TransactOptions
	cmd := &cobra.Command{
		Use:   "unlock",
		Short: "Start the way out of the deposit and the reserve",
		Long: `Unlock starts the unlock period, after which pmctl withdraw pays out the deposit
and the reserve: all of both, together. Your tickets stay redeemable until then,
and recipients take no new ones shortly before.`,
		Example: `  pmctl unlock
  pmctl unlock --yes --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cli.Transact(r, cmd, &o, cli.Only(wallet.Unlock())) },
	}
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputSafe)
	cmd.AddCommand(newUnlockCancel(r))
	return cmd
}

func newUnlockCancel(r *cli.Run) *cobra.Command {
	var o cli.TransactOptions
	cmd := &cobra.Command{
		Use:   "cancel",
		Short: "Lock the deposit and the reserve again",
		Long: `Cancel takes an unlock back: the deposit and the reserve are locked again, and
recipients take your tickets.`,
		Example: `  pmctl unlock cancel`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cli.Transact(r, cmd, &o, cli.Only(wallet.CancelUnlock()))
		},
	}
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputSafe)
	return cmd
}
