package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/store"
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

// dialPinned is dial for commands that sign or send: the node must name the contracts
// that are pinned in the store. Those of a network that is seen for the first time are
// pinned.
func (r *run) dialPinned(ctx context.Context, o *networkOptions, opened *store.Store) (*chain.Client, error) {
	client, err := o.dial(ctx, r.Env)
	if err != nil {
		return nil, err
	}
	pins := notedPins{opened.Chain(client.Network().ChainID), r}
	if err := client.Pin(ctx, pins, o.acceptContracts); err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}

// notedPins are a store's that tell the user when one is replaced.
type notedPins struct {
	*store.Chain
	run *run
}

// ReplaceContracts implements chain.Pins.
func (p notedPins) ReplaceContracts(ctx context.Context, found chain.Contracts) error {
	err := p.Chain.ReplaceContracts(ctx, found)
	if err == nil {
		p.run.note("pinned    TicketBroker %s, in place of the one that was known", found.TicketBroker)
	}
	return err
}
