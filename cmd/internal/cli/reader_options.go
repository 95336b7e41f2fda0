package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
)

// ReaderOptions choose an account to look at, whose key is not needed, and where.
type ReaderOptions struct {
	Network NetworkOptions
	Account AccountOptions
	Store   StoreOptions
}

// Register adds the flags.
func (o *ReaderOptions) Register(cmd *cobra.Command) {
	o.Network.Register(cmd)
	o.Account.RegisterFrom(cmd, "`ADDRESS` of the account (default $ETH_FROM, else the only one)")
	o.Account.Keys.RegisterAddress(cmd)
	o.Store.Register(cmd)
}

// Open returns what looks at the address on the command line, or at the user's account.
func (o *ReaderOptions) Open(ctx context.Context, r *Run, args []string) (*wallet.Reader, error) {
	address, err := statusAddress(ctx, r.Env, &o.Account, args)
	if err != nil {
		return nil, err
	}
	config, err := WalletConfig(r, &o.Network, &o.Store)
	if err != nil {
		return nil, err
	}
	return wallet.OpenReader(ctx, config, address)
}
