package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
)

// ErrNoAIRegistry is returned for a network without a registry for AI work, ErrNotRegistered for a
// URL or address without an entry in the registry.
var (
	ErrNoAIRegistry  = errors.New("no registry for AI work")
	ErrNotRegistered = errors.New("not in the service registry")
)

// Recipients returns the active recipients, by stake. With ai it returns only those with a URL for
// AI work. It returns ErrNoNode, ErrNoAIRegistry and the errors of chain.Client.
func Recipients(ctx context.Context, c Config, ai bool) (list []Recipient, err error) {
	c = c.withDefaults()
	err = c.read(ctx, func(ctx context.Context, node *chain.Client) error {
		if ai && node.Network().AIServiceRegistry == (common.Address{}) {
			return hint.With(fmt.Errorf("%w on %s", ErrNoAIRegistry, node.Network().Name), "list all recipients without --ai")
		}
		defer c.UI.Progress(func() string { return "reading the active recipients" })()
		pool, err := node.Recipients(ctx)
		list = slices.DeleteFunc(pool, func(r Recipient) bool { return ai && r.AIServiceURI == "" })
		return err
	})
	return list, err
}

// Registered returns what the contracts record about a recipient, or about the active one that
// has the given URL. It returns ErrNotRegistered, pay.ErrNoTarget and the errors of Recipients.
func Registered(ctx context.Context, c Config, of pay.Target) (found Recipient, err error) {
	if of.Address != (common.Address{}) {
		err = c.read(ctx, func(ctx context.Context, node *chain.Client) error {
			found, err = node.Recipient(ctx, of.Address)
			return err
		})
		return found, err
	}
	if err := of.Check(); err != nil {
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
	return found, fmt.Errorf("%w: no active recipient has the URL %s", ErrNotRegistered, of.URL)
}

// entryOf returns the URL that the registry has for a recipient; for AI work, that in the AI
// registry if there is one.
func entryOf(registered Recipient, ai bool) (pay.URL, error) {
	entry := registered.ServiceURI
	if ai && registered.AIServiceURI != "" {
		entry = registered.AIServiceURI
	}
	if entry == "" {
		return pay.URL{}, hint.With(fmt.Errorf("%w: the entry of %v has no URL", ErrNotRegistered, registered.Address), "pass its URL if you know it, or choose another recipient: pmctl recipient list")
	}
	u, err := pay.ParseServiceURI(entry)
	if err != nil {
		err = fmt.Errorf("the service registry's entry of %v: %w", registered.Address, err)
	}
	return u, err
}

// locate returns the URL to ask a recipient at.
func (v *chainView) locate(ctx context.Context, to pay.Target, works []wire.Work) (pay.URL, error) {
	if to.Address == (common.Address{}) {
		return to.URL, to.Check()
	}
	registered, err := v.recipient(ctx, to.Address)
	if err != nil {
		return pay.URL{}, err
	}
	return entryOf(registered, len(works) > 0)
}
