package store

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	paramsKey    = ` WHERE chain_id = $1 AND sender = $2 AND recipient_url = $3`
	upsertParams = `INSERT INTO params (chain_id, sender, recipient_url, document, saved_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (chain_id, sender, recipient_url) DO UPDATE SET document = excluded.document, saved_at = excluded.saved_at`
	selectParams = `SELECT document FROM params` + paramsKey
	deleteParams = `DELETE FROM params` + paramsKey
)

// SaveParams stores ticket params for sender's next payment to the recipient at url, and
// replaces earlier ones.
func (c *Chain) SaveParams(ctx context.Context, sender common.Address, url string, document []byte) error {
	return c.store.writeFor(ctx, "store the ticket params of "+url, func(tx *db.Tx) error {
		tx.Later(db.Do(upsertParams, c.id, sender.Hex(), url, string(document), time.Now().UnixMilli()))
		return nil
	})
}

// Params returns the document last stored for sender and url, or ErrNoParams.
func (c *Chain) Params(ctx context.Context, sender common.Address, url string) ([]byte, error) {
	found := false
	document, err := read(ctx, c.store, "read the ticket params of "+url, func(tx *db.Tx) (document string, err error) {
		found, err = tx.Row(selectParams, c.id, sender.Hex(), url).Find(&document)
		return document, err
	})
	if err == nil && !found {
		return nil, fmt.Errorf("%w for %s", ErrNoParams, url)
	}
	return []byte(document), err
}

// DropParams deletes the document stored for sender and url, if there is one. The session's
// nonces stay taken.
func (c *Chain) DropParams(ctx context.Context, sender common.Address, url string) error {
	return c.store.writeFor(ctx, "delete the ticket params of "+url, func(tx *db.Tx) error {
		return tx.Exec(deleteParams, c.id, sender.Hex(), url)
	})
}
