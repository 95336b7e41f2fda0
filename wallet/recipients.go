package wallet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
)

// ErrNoAIRegistry is returned for a network without a registry for AI work,
// ErrNotRegistered where the registry has no entry for what was asked, and ErrDisagrees
// when the registry and a recipient's answer contradict each other.
var (
	ErrNoAIRegistry  = errors.New("no registry for AI work is known")
	ErrNotRegistered = errors.New("the service registry does not know it")
	ErrDisagrees     = errors.New("the service registry and the recipient do not agree")
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
		if IsRegisteredAt(recipient, u) {
			return recipient, nil
		}
	}
	return found, fmt.Errorf("%w: no active recipient has entered %s", ErrNotRegistered, u)
}

// IsRegisteredAt tells whether one of a recipient's own entries in the registries is u.
func IsRegisteredAt(recipient Recipient, u pay.URL) bool {
	return IsEntry(recipient.ServiceURI, u) || IsEntry(recipient.AIServiceURI, u)
}

// IsEntry tells whether a registry's entry is u.
func IsEntry(entry string, u pay.URL) bool {
	registered, err := pay.ParseServiceURI(entry)
	return err == nil && registered == u
}

// EntryText is a recipient's own text in a registry, for a person.
func EntryText(entry string) string {
	if entry == "" {
		return "none in the service registry"
	}
	return format.PlainText(entry)
}

// Entries are a recipient's texts in the registries as part of a message: the one for AI work
// is named where it is another.
func Entries(recipient Recipient) string {
	short := func(entry string) string {
		const most = 120
		text := EntryText(entry)
		if runes := []rune(text); len(runes) > most {
			return string(runes[:most]) + "…"
		}
		return text
	}
	text := short(recipient.ServiceURI)
	if ai := recipient.AIServiceURI; ai != "" && ai != recipient.ServiceURI {
		text += ", and for AI work " + short(ai)
	}
	return text
}

// Disagreement is what speaks against paying a recipient at u where the registry has other
// entries. It is ErrDisagrees.
func Disagreement(u pay.URL, recipient common.Address, registered Recipient) error {
	return hint.With(fmt.Errorf("%w: %s pays %v, and the registry has %s for %v", ErrDisagrees, u, recipient, Entries(registered), registered.Address),
		"pay there only if you know from elsewhere whose URL it is; then say --recipient %v", recipient)
}
