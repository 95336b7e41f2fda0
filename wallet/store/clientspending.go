package store

import (
	"context"
	"time"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// ClientAccount is a client with what was signed for it.
type ClientAccount struct {
	*Client
	Spent ClientSpending
}

// Accounts returns the clients by name, each with what was signed for it on the day of at, and
// in all.
func (c *Clients) Accounts(ctx context.Context, at time.Time) ([]ClientAccount, error) {
	return snapshot(ctx, c.store, "read what the clients have spent", func(tx *db.Tx) ([]ClientAccount, error) { return clientAccounts(tx, at) })
}

func clientAccounts(tx *db.Tx, at time.Time) ([]ClientAccount, error) {
	clients, err := db.List(tx, scanClient, selectClients)
	if err != nil {
		return nil, err
	}
	ids, found := make([]string, len(clients)), make([]ClientAccount, len(clients))
	for i, client := range clients {
		ids[i] = client.ID
	}
	spent, err := clientSpending(tx, ids, startOfDay(at))
	for i, client := range clients {
		found[i] = ClientAccount{client, *spent[client.ID]}
	}
	return found, err
}
