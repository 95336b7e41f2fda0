package wallet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm/wire"
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

// Registered returns what the contracts say of a recipient: of one named by its URL, what
// they say of the active one that has entered it. It fails with ErrNotRegistered, and as
// Recipients does.
func Registered(ctx context.Context, c Config, of pay.Target) (found Recipient, err error) {
	if of.Address != (common.Address{}) {
		err = c.read(ctx, func(ctx context.Context, node *chain.Client) error {
			found, err = node.Recipient(ctx, of.Address)
			return err
		})
		return found, err
	}
	pool, err := Recipients(ctx, c, false)
	if err != nil {
		return found, err
	}
	for _, recipient := range pool {
		if check.IsRegisteredAt(recipient, of.URL) {
			return recipient, nil
		}
	}
	return found, fmt.Errorf("%w: no active recipient has entered %s", ErrNotRegistered, of.URL)
}

// entryOf is where the registry has a recipient; for AI work, in the registry for that first.
func entryOf(registered Recipient, ai bool) (pay.URL, error) {
	entry := registered.ServiceURI
	if ai && registered.AIServiceURI != "" {
		entry = registered.AIServiceURI
	}
	if entry == "" {
		return pay.URL{}, hint.With(fmt.Errorf("%w: %v has entered no URL", ErrNotRegistered, registered.Address), "pass its URL if you know it, or choose another recipient: pmctl recipient list")
	}
	u, err := pay.ParseServiceURI(entry)
	if err != nil {
		err = fmt.Errorf("the service registry's entry of %v: %w", registered.Address, err)
	}
	return u, err
}

// locate returns where a recipient is asked.
func (v *chainView) locate(ctx context.Context, to pay.Target, works []wire.Work) (pay.URL, error) {
	if to.Address == (common.Address{}) {
		return to.URL, nil
	}
	registered, err := v.recipient(ctx, to.Address)
	if err != nil {
		return pay.URL{}, err
	}
	return entryOf(registered, len(works) > 0)
}
