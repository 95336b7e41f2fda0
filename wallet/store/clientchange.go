package store

import (
	"time"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// ClientChange is a client that is added or changed, before that is written.
type ClientChange struct {
	// Client is the client as it will be, Before as it was; nil for one that is added.
	Client, Before *Client

	// All are the clients as they will be, each with what was signed for it.
	All []ClientAccount
}

// Checked returns the clients with a check of what Add and Change do, as of a time. It is called
// in their transaction, and its error undoes it. In a change it may correct the client's terms.
func (c *Clients) Checked(at time.Time, check func(ClientChange) error) *Clients {
	return &Clients{c.store, check, at}
}

func (c *Clients) examine(tx *db.Tx, client, before *Client) error {
	if c.check == nil {
		return nil
	}
	all, err := clientAccounts(tx, c.at)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].ID == client.ID {
			all[i].Client = client
		}
	}
	return c.check(ClientChange{client, before, all})
}
