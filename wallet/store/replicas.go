package store

import (
	"context"
	"time"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Replica is a process of a remote signer. Its times are by the clock of its machine.
type Replica struct {
	ID, Host, Version string

	// StartedAt is when it was started, SeenAt when it last said that it runs, and StoppedAt
	// when it was stopped; zero for one that was not.
	StartedAt, SeenAt, StoppedAt time.Time
}

const (
	upsertReplica = `INSERT INTO signer_replicas (id, chain_id, sender, host, version, started_at, seen_at, stopped_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, stopped_at = excluded.stopped_at`
	deleteReplicas = `DELETE FROM signer_replicas WHERE seen_at < $1`
	selectReplicas = `SELECT id, host, version, started_at, seen_at, stopped_at FROM signer_replicas
		WHERE chain_id = $1 AND sender = $2 AND seen_at >= $3 ORDER BY host, started_at, id`
)

// Announce records that a replica runs, or that it was stopped, and forgets those that were last
// seen before a time.
func (p *LivePayments) Announce(ctx context.Context, r Replica, forget time.Time) error {
	return p.chain.store.writeFor(ctx, "record that the signer runs", func(tx *db.Tx) error {
		return tx.Together(
			db.Do(upsertReplica, r.ID, p.chain.id, p.sender.Hex(), r.Host, r.Version, r.StartedAt.UnixMilli(), r.SeenAt.UnixMilli(), millisOrNull(r.StoppedAt)),
			db.Do(deleteReplicas, forget.UnixMilli()))
	})
}

// Replicas returns the sender's remote signers that were seen since a time, by host.
func (p *LivePayments) Replicas(ctx context.Context, since time.Time) ([]Replica, error) {
	return read(ctx, p.chain.store, "list the signer's replicas", func(tx *db.Tx) ([]Replica, error) {
		return db.List(tx, db.Fields(func(r *Replica) []any {
			return []any{&r.ID, &r.Host, &r.Version, (*millis)(&r.StartedAt), (*millis)(&r.SeenAt), (*millis)(&r.StoppedAt)}
		}), selectReplicas, p.chain.id, p.sender.Hex(), since.UnixMilli())
	})
}
