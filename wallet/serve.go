package wallet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/chain"
)

// NewAgent is an agent that has the wallet's key, which it opens, and signs for other
// processes for as long as config says. The wallet is closed after it.
// Without a node it makes tickets with --offline only.
func NewAgent(ctx context.Context, w *Wallet, config agent.Config) (*agent.Service, error) {
	source, err := w.Account.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	key, ok := source.(agent.Key)
	if !ok {
		return nil, fmt.Errorf("the key of %v is not in a file or behind a descriptor", source.Address())
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
		w.note("no node: tickets can be made with --offline only: %v", err)
	default:
		return nil, err
	}
	return agent.New(config), nil
}
