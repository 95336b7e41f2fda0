package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/chain"
)

// KnownContracts returns where this machine knows a network's contracts to be, without
// asking a node.
func KnownContracts(ctx context.Context, env *Env, network chain.Network, place *StoreOptions) (chain.Contracts, bool, error) {
	location, err := place.Choose(env)
	if err != nil {
		return chain.Contracts{}, false, err
	}
	return wallet.KnownContracts(ctx, network, location)
}

// RegisterContracts is for commands that sign or send.
func (o *NetworkOptions) RegisterContracts(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.acceptContracts, "accept-contracts", false,
		"accept other contracts than those that were first seen on this network, and pin them in their place; those of "+chain.ArbitrumOne+" never change")
}
