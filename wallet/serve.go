package wallet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/chain"
)

// NewAgent returns an agent that opens the wallet's key and signs for other processes, as config
// says. Close the wallet after it. Without a node the agent creates tickets with --offline only.
func NewAgent(ctx context.Context, w *Wallet, config agent.Config) (*agent.Service, error) {
	if err := w.requireAccount(); err != nil {
		return nil, err
	}
	source, err := w.Account.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	key, ok := source.(agent.Key)
	if !ok {
		return nil, fmt.Errorf("an agent needs the key in a file or a descriptor; that of %v is in neither", source.Address())
	}
	config.Signer, config.Network, config.Store, config.Limits, config.Now = key, w.Network, w.store, w.Limits, w.Now
	node, err := w.connect(ctx)
	switch {
	case err == nil:
		config.Chain = node
		config.Broker = func(ctx context.Context) (common.Address, error) {
			contracts, err := node.Contracts(ctx)
			return contracts.TicketBroker, err
		}
	case errors.Is(err, ErrNoNode), errors.Is(err, chain.ErrUnreachable):
		w.note("no node, so tickets can be created with --offline only: %v", err)
	default:
		return nil, err
	}
	return agent.New(config), nil
}
