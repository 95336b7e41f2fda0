package wallet

import (
	"context"

	"github.com/pmctl/pmctl/wallet/store"
)

// KnownRecipients lists the recipients paid on a network by the store at a location, newest first,
// for shell completion: it asks no server, creates no file, and returns nothing if the store cannot
// be read.
func KnownRecipients(ctx context.Context, network Network, location string) []KnownRecipient {
	return peek(ctx, location, func(p *store.Peek) ([]KnownRecipient, error) { return p.Recipients(ctx, network.ChainID) })
}

// KnownTransactions lists the journal's transactions as KnownRecipients lists recipients.
func KnownTransactions(ctx context.Context, network Network, location string) []KnownTransaction {
	return peek(ctx, location, func(p *store.Peek) ([]KnownTransaction, error) { return p.Transactions(ctx, network.ID()) })
}

func peek[T any](ctx context.Context, location string, list func(*store.Peek) ([]T, error)) []T {
	p, err := store.PeekAt(ctx, location)
	if err != nil {
		return nil
	}
	defer p.Close()
	found, _ := list(p)
	return found
}

// DisplayStore returns a store's location without its password.
func DisplayStore(location string) string { return store.Display(location) }

// StoreHasPassword reports whether a store's location contains a password.
func StoreHasPassword(location string) bool { return store.HasPassword(location) }
