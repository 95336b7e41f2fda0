package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// version5 adds who is paid at a recipient's URL.
var version5 = []string{
	`CREATE TABLE recipients (
		chain_id      TEXT   NOT NULL,
		sender        TEXT   NOT NULL,
		recipient_url TEXT   NOT NULL,
		recipient     TEXT   NOT NULL,
		saved_at      BIGINT NOT NULL,
		PRIMARY KEY (chain_id, sender, recipient_url)
	)`,
}

const (
	insertRecipient = `INSERT INTO recipients (chain_id, sender, recipient_url, recipient, saved_at) VALUES ($1, $2, $3, $4, $5)`
	updateRecipient = `UPDATE recipients SET recipient = $4, saved_at = $5 WHERE chain_id = $1 AND sender = $2 AND recipient_url = $3`
	selectRecipient = `SELECT recipient FROM recipients WHERE chain_id = $1 AND sender = $2 AND recipient_url = $3`
)

// Recipient returns whom sender paid last at url, or the zero address when it has
// paid nobody there.
func (c *Chain) Recipient(ctx context.Context, sender common.Address, url string) (recipient common.Address, err error) {
	err = c.store.read(ctx, func(tx *sql.Tx) error {
		recipient, err = c.pinned(ctx, tx, sender, url)
		return err
	})
	if err != nil {
		return common.Address{}, fmt.Errorf("read who is paid at %s: %w", url, err)
	}
	return recipient, nil
}

// pinned returns the address behind a URL, or the zero address.
func (c *Chain) pinned(ctx context.Context, tx querier, sender common.Address, url string) (common.Address, error) {
	var text string
	err := scanRow(tx.QueryRowContext(ctx, selectRecipient, c.id, sender.Hex(), url), &text)
	if errors.Is(err, sql.ErrNoRows) {
		return common.Address{}, nil
	}
	if err == nil && !common.IsHexAddress(text) {
		err = fmt.Errorf("%w: who is paid at %s is %.50q", ErrDamaged, url, text)
	}
	return common.HexToAddress(text), err
}

// Pin is the address behind a URL.
type Pin struct {
	URL       string
	Recipient common.Address
}

// PinRecipients pins for a sender the address behind each URL, in order and in one
// transaction. A URL that is pinned already keeps its address, unless accept has the new
// one. It returns for each pin the address that the URL is pinned to instead, and the zero
// address where the pin holds.
func (c *Chain) PinRecipients(ctx context.Context, sender common.Address, pins []Pin, accept []common.Address) (others []common.Address, err error) {
	fresh := false
	err = c.store.read(ctx, func(tx *sql.Tx) error {
		others, fresh, err = c.pin(ctx, tx, sender, pins, accept, false)
		return err
	})
	if err == nil && fresh {
		err = c.store.write(ctx, func(tx *sql.Tx) error {
			others, _, err = c.pin(ctx, tx, sender, pins, accept, true)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("pin who is paid at %d URLs: %w", len(pins), err)
	}
	return others, nil
}

// pin finds out which pins hold, and writes those that are new, or only tells whether
// there are any.
func (c *Chain) pin(ctx context.Context, tx querier, sender common.Address, pins []Pin, accept []common.Address, write bool) (others []common.Address, fresh bool, err error) {
	others = make([]common.Address, len(pins))
	for i, pin := range pins {
		was, err := c.pinned(ctx, tx, sender, pin.URL)
		statement := insertRecipient
		switch {
		case err != nil:
			return nil, false, err
		case was == pin.Recipient:
			continue
		case was != common.Address{} && !slices.Contains(accept, pin.Recipient):
			others[i] = was
			continue
		case was != common.Address{}:
			statement = updateRecipient
		}
		fresh = true
		if !write {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement, c.id, sender.Hex(), pin.URL, pin.Recipient.Hex(), time.Now().UnixMilli()); err != nil {
			return nil, false, err
		}
	}
	return others, fresh, nil
}
