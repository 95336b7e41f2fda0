package wallet

import (
	"context"

	"github.com/pmctl/pmctl/wallet/store"
)

// KnownRecipients are who was paid on a network by the store at a location, the latest first,
// for who types a command: no server is asked, and no file made. What cannot be read is
// not known.
func KnownRecipients(ctx context.Context, network Network, location string) []KnownRecipient {
	peek, err := store.PeekAt(ctx, location)
	if err != nil {
		return nil
	}
	defer peek.Close()
	found, _ := peek.Recipients(ctx, network.ChainID)
	return found
}

// KnownTransactions are the journal's, the latest first, as KnownRecipients are the ledger's.
func KnownTransactions(ctx context.Context, network Network, location string) []KnownTransaction {
	peek, err := store.PeekAt(ctx, location)
	if err != nil {
		return nil
	}
	defer peek.Close()
	found, _ := peek.Transactions(ctx, network.ID())
	return found
}

// DisplayStore is a store's location as it may be shown to anybody.
func DisplayStore(location string) string { return store.Display(location) }

// StoreHasPassword tells whether a store's location has a password in it.
func StoreHasPassword(location string) bool { return store.HasPassword(location) }
