package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/chain"
)

// knownContracts returns where this machine knows a network's contracts to be, without
// asking a node.
func knownContracts(ctx context.Context, env *Env, network chain.Network, place *storeOptions) (chain.Contracts, bool, error) {
	location, err := place.choose(env)
	if err != nil {
		return chain.Contracts{}, false, err
	}
	return wallet.KnownContracts(ctx, network, location)
}

// registerContracts is for commands that sign or send.
func (o *networkOptions) registerContracts(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.acceptContracts, "accept-contracts", false,
		"accept other contracts than those that were first seen on this network, and pin them in their place; those of "+chain.ArbitrumOne+" never change")
}
