package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// SaveParams keeps a params document for sender's next payment to the recipient at
// url, in place of the one kept before.
func (c *Chain) SaveParams(ctx context.Context, sender common.Address, url string, document []byte) error {
	err := c.store.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, upsertParams, c.id, sender.Hex(), url, string(document), time.Now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the ticket params of %s: %w", url, err)
	}
	return nil
}

// Params returns the document that was last kept for sender and url, or ErrNoParams.
func (c *Chain) Params(ctx context.Context, sender common.Address, url string) ([]byte, error) {
	var document string
	err := c.store.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, selectParams, c.id, sender.Hex(), url).Scan(&document)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w for %s", ErrNoParams, url)
	}
	if err != nil {
		return nil, fmt.Errorf("read the ticket params of %s: %w", url, err)
	}
	return []byte(document), nil
}

// DropParams forgets the document kept for sender and url, if there is one. The
// session's nonces stay taken.
func (c *Chain) DropParams(ctx context.Context, sender common.Address, url string) error {
	err := c.store.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, deleteParams, c.id, sender.Hex(), url)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget the ticket params of %s: %w", url, err)
	}
	return nil
}
