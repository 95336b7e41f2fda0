package tx

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/signer"
)

// replaceOptions are what a command takes that replaces a transaction.
type replaceOptions struct {
	intentOptions
	yes bool
}

func newTxBump(r *cli.Run) *cobra.Command {
	return newReplace(r, (*wallet.Wallet).Bump, &cobra.Command{
		Use:   "bump HASH",
		Short: "Raise the price of a pending transaction",
		Long: `Sign the same transaction again at a higher price, high enough for nodes to
replace the pending one. --max-gas-price and --max-fee apply. Only one of the
two can be mined.`,
		Example: `  pmctl tx bump 0x…
  pmctl tx bump 0x… --max-fee 0.001eth --yes`,
	})
}

func newTxCancel(r *cli.Run) *cobra.Command {
	return newReplace(r, (*wallet.Wallet).Cancel, &cobra.Command{
		Use:   "cancel HASH",
		Short: "Replace a pending transaction with an empty one",
		Long: `Sign a transaction that moves nothing, with the nonce of the pending one and a
higher price, so that nodes replace it. If the original is mined first, the exit
code is 1.`,
		Example: `  pmctl tx cancel 0x… --yes`,
	})
}

// replaces is one of package wallet's ways to replace a transaction.
type replaces func(*wallet.Wallet, context.Context, common.Hash, wallet.ReplaceOptions) (wallet.Transaction, error)

func newReplace(r *cli.Run, by replaces, cmd *cobra.Command) *cobra.Command {
	var o replaceOptions
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		w, hash, err := o.open(cmd.Context(), r, args[0], cli.LimitedConfig)
		if err != nil {
			return err
		}
		defer w.Close()
		_, err = by(w, cmd.Context(), hash, wallet.ReplaceOptions{
			Find: func(ctx context.Context, signed common.Address) (*signer.Account, error) {
				return o.Account.Keys.Find(ctx, r.Env, &signed, w.Network.ChainID)
			},
			Agreed: o.yes, WaitOptions: o.wait,
		})
		return err
	}
	o.register(cmd)
	cli.RegisterWait(r, cmd, &o.wait)
	o.Account.Keys.Register(cmd)
	o.Limits.RegisterFees(cmd)
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "skip the confirmation")
	return cmd
}
