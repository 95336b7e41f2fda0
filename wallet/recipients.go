package wallet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
)

// ErrNoAIRegistry is returned for a network without a registry for AI work, and
// ErrNotRegistered where the registry has no entry for what was asked.
var (
	ErrNoAIRegistry  = errors.New("no registry for AI work is known")
	ErrNotRegistered = errors.New("the service registry does not know it")
)

// Recipients returns the active recipients, by stake; with ai those alone that have entered
// a URL for AI work. It fails with ErrNoNode and ErrNoAIRegistry, and as chain.Client does.
func Recipients(ctx context.Context, c Config, ai bool) (list []Recipient, err error) {
	c = c.withDefaults()
	err = c.read(ctx, func(ctx context.Context, node *chain.Client) error {
		if ai && node.Network().AIServiceRegistry == (common.Address{}) {
			return hint.With(fmt.Errorf("%w on %s", ErrNoAIRegistry, node.Network().Name), "list all recipients without --ai")
		}
		defer c.UI.Progress(func() string { return "reading the active recipients" })()
		pool, err := node.Recipients(ctx)
		for _, recipient := range pool {
			if !ai || recipient.AIServiceURI != "" {
				list = append(list, recipient)
			}
		}
		return err
	})
	return list, err
}

// Registered returns what the contracts say of the recipient at an address, or, unless u is
// zero, of the active one that has entered u. It fails with ErrNotRegistered, and as
// Recipients does.
func Registered(ctx context.Context, c Config, address common.Address, u pay.URL) (found Recipient, err error) {
	if u == (pay.URL{}) {
		err = c.read(ctx, func(ctx context.Context, node *chain.Client) error {
			found, err = node.Recipient(ctx, address)
			return err
		})
		return found, err
	}
	pool, err := Recipients(ctx, c, false)
	if err != nil {
		return found, err
	}
	for _, recipient := range pool {
		if check.IsRegisteredAt(recipient, u) {
			return recipient, nil
		}
	}
	return found, fmt.Errorf("%w: no active recipient has entered %s", ErrNotRegistered, u)
}
