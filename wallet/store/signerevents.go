package store

import (
	"context"
	"time"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// ConsumerOperator is the operator's server that is sent the signer's own events.
const ConsumerOperator = "operator"

const (
	insertEvent = `INSERT INTO signer_events (position, name, event, raised_at) VALUES ($1, $2, $3, $4)`
	selectNamed = `SELECT position FROM signer_events WHERE name = $1`

	selectLastEvent = `SELECT COALESCE(MAX(position), 0) FROM signer_events`
	selectEvents    = `SELECT position, event FROM signer_events WHERE position > $1 ORDER BY position LIMIT $2`
)

// SignerEvents are what operators of the remote signers are notified of.
type SignerEvents struct{ store *Store }

// SignerEvents returns the store's.
func (s *Store) SignerEvents() *SignerEvents { return &SignerEvents{s} }

// SignerEvent is an event, as JSON.
type SignerEvent struct {
	// Position counts the events of the store.
	Position int64
	Body     []byte
}

// Raise stores the event that body returns for its position, unless there is one with the name
// already, and reports whether it did.
func (e *SignerEvents) Raise(ctx context.Context, name string, at time.Time, body func(position int64) ([]byte, error)) (raised bool, err error) {
	known, err := read(ctx, e.store, "look for an event", func(tx *db.Tx) (bool, error) { return tx.Row(selectNamed, name).Find(new(int64)) })
	if known || err != nil {
		return false, err
	}
	err = e.store.writeFor(ctx, "store an event", func(tx *db.Tx) error {
		raised = false
		known, err := tx.Row(selectNamed, name).Find(new(int64)) // by another replica, meanwhile
		if known || err != nil {
			return err
		}
		var last int64
		if err := tx.Row(selectLastEvent).Scan(&last); err != nil {
			return err
		}
		event, err := body(last + 1)
		if err != nil {
			return err
		}
		raised = true
		return tx.Exec(insertEvent, last+1, name, string(event), at.UnixMilli())
	})
	return raised && err == nil, err
}

// After returns at most limit events beyond a position, in order.
func (e *SignerEvents) After(ctx context.Context, position int64, limit int) ([]SignerEvent, error) {
	return read(ctx, e.store, "read the events", func(tx *db.Tx) ([]SignerEvent, error) {
		return db.List(tx, db.Fields(func(e *SignerEvent) []any { return []any{&e.Position, &e.Body} }), selectEvents, position, limit)
	})
}

// Acknowledge notes that the operator has the events up to a position.
func (e *SignerEvents) Acknowledge(ctx context.Context, position int64) error {
	return e.store.writeFor(ctx, "acknowledge events", func(tx *db.Tx) error {
		return tx.Exec(upsertAcknowledge, ConsumerOperator, "", position, time.Now().UnixMilli())
	})
}
