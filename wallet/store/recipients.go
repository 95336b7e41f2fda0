package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	upsertRecipient = `INSERT INTO recipients (chain_id, sender, recipient_url, recipient, saved_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (chain_id, sender, recipient_url) DO UPDATE SET recipient = excluded.recipient, saved_at = excluded.saved_at`
	selectRecipient = `SELECT recipient FROM recipients WHERE chain_id = $1 AND sender = $2 AND recipient_url = $3`
)

// Recipient returns whom sender paid last at url, or the zero address when it has
// paid nobody there.
func (c *Chain) Recipient(ctx context.Context, sender common.Address, url string) (common.Address, error) {
	var text string
	err := c.store.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, selectRecipient, c.id, sender.Hex(), url).Scan(&text)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return common.Address{}, nil
	}
	if err != nil {
		return common.Address{}, fmt.Errorf("read who is paid at %s: %w", url, err)
	}
	if !common.IsHexAddress(text) {
		return common.Address{}, fmt.Errorf("%w: who is paid at %s is %.50q", ErrDamaged, url, text)
	}
	return common.HexToAddress(text), nil
}

// SaveRecipients remembers whom sender pays at each URL, in place of whom it paid before,
// in one transaction.
func (c *Chain) SaveRecipients(ctx context.Context, sender common.Address, recipients map[string]common.Address) error {
	err := c.store.write(ctx, func(tx *sql.Tx) error {
		for url, recipient := range recipients {
			_, err := tx.ExecContext(ctx, upsertRecipient, c.id, sender.Hex(), url, recipient.Hex(), time.Now().UnixMilli())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remember who is paid at %d URLs: %w", len(recipients), err)
	}
	return nil
}
