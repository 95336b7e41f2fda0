package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	upsertRecipient = `INSERT INTO recipients (chain_id, sender, recipient_url, recipient, saved_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (chain_id, sender, recipient_url) DO UPDATE SET recipient = excluded.recipient, saved_at = excluded.saved_at`
	selectRecipient = `SELECT recipient FROM recipients WHERE chain_id = $1 AND sender = $2 AND recipient_url = $3`
)

// Recipient returns the address that sender last paid at url, or the zero address if there is none.
func (c *Chain) Recipient(ctx context.Context, sender common.Address, url string) (common.Address, error) {
	return read(ctx, c.store, "read the address pinned to "+url, func(tx *db.Tx) (common.Address, error) {
		return c.pinned(tx, sender, url)
	})
}

// pinned returns the address pinned to a URL, or the zero address.
func (c *Chain) pinned(tx *db.Tx, sender common.Address, url string) (address common.Address, err error) {
	err = tx.Together(readPinned(c.id, sender, url, &address))
	return address, err
}

// readPinned reads the address pinned to a URL; into stays as it is if there is none.
func readPinned(chain string, sender common.Address, url string, into *common.Address) db.Statement {
	return db.Ask(db.One[string], func(text string) error {
		if !common.IsHexAddress(text) {
			return fmt.Errorf("%w: the address pinned to %s is %.50q", ErrDamaged, url, text)
		}
		*into = common.HexToAddress(text)
		return nil
	}, selectRecipient, chain, sender.Hex(), url)
}

// Pin is the address behind a URL.
type Pin struct {
	URL       string
	Recipient common.Address
}

// PinRecipients pins for a sender the address behind each URL, in order and in one transaction.
// A URL that is pinned already keeps its address, unless accept has the new one. It returns for
// each pin the earlier address that prevails, or the zero address.
func (c *Chain) PinRecipients(ctx context.Context, sender common.Address, pins []Pin, accept []common.Address) (others []common.Address, err error) {
	fresh := false
	pin := func(write bool) func(*db.Tx) error {
		return func(tx *db.Tx) (err error) {
			others, fresh, err = c.pin(tx, sender, pins, accept, write)
			return err
		}
	}
	err = c.store.db.ReadOnce(ctx, pin(false))
	if err == nil && fresh {
		err = c.store.write(ctx, pin(true))
	}
	if err != nil {
		return nil, fmt.Errorf("pin the addresses of %d URLs: %w", len(pins), err)
	}
	return others, nil
}

// pin compares the pins with the stored ones, and writes those that are new if write is set.
func (c *Chain) pin(tx *db.Tx, sender common.Address, pins []Pin, accept []common.Address, write bool) (others []common.Address, fresh bool, err error) {
	others = make([]common.Address, len(pins))
	known := make(map[string]*common.Address)
	var reads []db.Statement
	for _, pin := range pins {
		if known[pin.URL] == nil {
			known[pin.URL] = new(common.Address)
			reads = append(reads, readPinned(c.id, sender, pin.URL, known[pin.URL]))
		}
	}
	if err := tx.Together(reads...); err != nil {
		return nil, false, err
	}
	for i, pin := range pins {
		switch was := known[pin.URL]; {
		case *was == pin.Recipient:
			continue
		case *was != common.Address{} && !slices.Contains(accept, pin.Recipient):
			others[i] = *was
			continue
		}
		fresh, *known[pin.URL] = true, pin.Recipient
		if write {
			tx.Later(db.Do(upsertRecipient, c.id, sender.Hex(), pin.URL, pin.Recipient.Hex(), time.Now().UnixMilli()))
		}
	}
	return others, fresh, nil
}
