package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	selectUsage       = livePaymentFields + ` WHERE position > $1 ORDER BY position LIMIT $2`
	selectClientUsage = livePaymentFields + ` WHERE client = $3 AND position > $1 ORDER BY position LIMIT $2`

	// notAcknowledged is what a consumer, $1, was not sent yet or has not acknowledged.
	notAcknowledged = ` FROM signer_payments p LEFT JOIN signer_acknowledged a ON a.client = p.client AND a.consumer = $1
		WHERE p.position > COALESCE(a.position, 0)`
	selectUndelivered = livePaymentFields + ` WHERE position IN (SELECT p.position` + notAcknowledged + ` ORDER BY p.position LIMIT $2) ORDER BY position`
	selectBacklog     = `SELECT COUNT(*), COALESCE(MIN(p.made_at), 0)` + notAcknowledged
	upsertAcknowledge = `INSERT INTO signer_acknowledged (consumer, client, position, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (consumer, client) DO UPDATE SET position = excluded.position, at = excluded.at
		WHERE signer_acknowledged.position < excluded.position`

	// A session's last payment stays: the session continues from it.
	deleteUsage = `DELETE FROM signer_payments WHERE made_at < $2 AND position NOT IN (SELECT p.position` + notAcknowledged + `)
		AND sequence < (SELECT s.sequence FROM signer_sessions s WHERE s.chain_id = signer_payments.chain_id
			AND s.sender = signer_payments.sender AND s.state_id = signer_payments.state_id)`
)

// LiveUsage is the record of all payments of live sessions in a store, as it is sent to
// consumers: at least once, and each client's in order.
type LiveUsage struct{ store *Store }

// LiveUsage returns the store's.
func (s *Store) LiveUsage() *LiveUsage { return &LiveUsage{s} }

// After returns at most limit payments beyond a position, in order: a client's, or with "" those
// of all.
func (u *LiveUsage) After(ctx context.Context, client string, position int64, limit int) ([]*LivePayment, error) {
	return read(ctx, u.store, "read the usage", func(tx *db.Tx) ([]*LivePayment, error) {
		if client == "" {
			return db.List(tx, scanLivePayment, selectUsage, position, limit)
		}
		return db.List(tx, scanLivePayment, selectClientUsage, position, limit, client)
	})
}

// Undelivered returns at most limit payments that a consumer has not acknowledged, in order.
func (u *LiveUsage) Undelivered(ctx context.Context, consumer string, limit int) ([]*LivePayment, error) {
	return read(ctx, u.store, "read the undelivered usage", func(tx *db.Tx) ([]*LivePayment, error) {
		return db.List(tx, scanLivePayment, selectUndelivered, consumer, limit)
	})
}

// Acknowledge notes that a consumer has a client's payments up to a position, at least: it
// never takes that back.
func (u *LiveUsage) Acknowledge(ctx context.Context, consumer, client string, position int64) error {
	return u.store.writeFor(ctx, fmt.Sprintf("acknowledge the usage of client %q", client), func(tx *db.Tx) error {
		return tx.Exec(upsertAcknowledge, consumer, client, position, time.Now().UnixMilli())
	})
}

// Backlog is what a consumer has not acknowledged.
type Backlog struct {
	// Payments is how many they are, Oldest when the first was made; zero without any.
	Payments int64
	Oldest   time.Time
}

// Backlog returns a consumer's.
func (u *LiveUsage) Backlog(ctx context.Context, consumer string) (Backlog, error) {
	return read(ctx, u.store, "count the undelivered usage", func(tx *db.Tx) (b Backlog, err error) {
		var oldest int64
		err = tx.Row(selectBacklog, consumer).Scan(&b.Payments, &oldest)
		if b.Payments > 0 {
			b.Oldest = fromMillis(oldest)
		}
		return b, err
	})
}

// Prune removes payments that were made before a time and that the consumer has acknowledged,
// and returns how many. Their states and keys are answered no more. What each client spent
// stays, and the last payment of each session.
func (u *LiveUsage) Prune(ctx context.Context, consumer string, before time.Time) (removed int64, err error) {
	err = u.store.writeFor(ctx, "remove old usage", func(tx *db.Tx) (err error) {
		removed, err = tx.Change(deleteUsage, consumer, before.UnixMilli())
		return err
	})
	return removed, err
}

// LiveSession is a session that a remote signer has a record of.
type LiveSession struct {
	// Last is its last payment, which has the session after it.
	Last *LivePayment

	// OpenedAt is when its first payment was made here.
	OpenedAt time.Time
}

const selectLiveSessions = `SELECT s.opened_at, p.position, p.client, p.asked, p.info, p.recipient_rand_hash, p.first_nonce, p.nonces, p.creation_round,
		p.creation_round_block_hash, p.manifest_id, p.capabilities, p.state, p.usage, p.made_at
	FROM signer_sessions s JOIN signer_payments p ON p.chain_id = s.chain_id AND p.sender = s.sender AND p.state_id = s.state_id AND p.sequence = s.sequence
	WHERE s.updated_at >= $1 ORDER BY s.updated_at DESC, s.state_id LIMIT $2`

// Sessions returns at most limit sessions that were paid since a time, the newest first.
func (u *LiveUsage) Sessions(ctx context.Context, since time.Time, limit int) ([]*LiveSession, error) {
	return read(ctx, u.store, "list the live sessions", func(tx *db.Tx) ([]*LiveSession, error) {
		return db.List(tx, func(rows *sql.Rows) (s *LiveSession, err error) {
			var opened int64
			s = new(LiveSession)
			s.Last, err = scanLivePaymentAfter(rows, &opened)
			s.OpenedAt = fromMillis(opened)
			return s, err
		}, selectLiveSessions, since.UnixMilli(), limit)
	})
}

// Spent returns what was signed for a client on the day of at, and in all.
func (u *LiveUsage) Spent(ctx context.Context, client string, at time.Time) (ClientSpending, error) {
	return read(ctx, u.store, "read what a client has spent", func(tx *db.Tx) (ClientSpending, error) {
		day := startOfDay(at)
		days, totals, err := clientSpending(tx, []string{client}, day)
		return ClientSpending{day, days[client], totals[client]}, err
	})
}

const (
	selectAllClientSpending = `SELECT client, day, tickets, ev, face_value FROM signer_spending ORDER BY client`
	selectLostPayments      = `SELECT 'session ' || s.state_id || ' has no payment ' || s.sequence FROM signer_sessions s
		LEFT JOIN signer_payments p ON p.chain_id = s.chain_id AND p.sender = s.sender AND p.state_id = s.state_id AND p.sequence = s.sequence
		WHERE p.position IS NULL ORDER BY 1 LIMIT 20`
)

// checkSigner looks whether each session has its last payment, and each client's days add up.
func checkSigner(tx *db.Tx, r *Report) error {
	lost, err := db.List(tx, db.Text, selectLostPayments)
	if err != nil {
		return err
	}
	r.Problems = append(r.Problems, lost...)
	type row struct {
		client, day string
		policy.Sum
	}
	days, totals := make(map[string]policy.Sum), make(map[string]policy.Sum)
	err = db.Each(tx, func(rows *sql.Rows) (one row, err error) {
		var tickets int64
		var ev, faceValue string
		if err := rows.Scan(&one.client, &one.day, &tickets, &ev, &faceValue); err != nil {
			return one, err
		}
		one.Sum, err = parseSum(tickets, ev, faceValue)
		return one, err
	}, func(one row) error {
		sums := days
		if one.day == "" {
			sums = totals
		}
		sums[one.client] = sums[one.client].Plus(one.Sum)
		return nil
	}, selectAllClientSpending)
	if err != nil {
		return err
	}
	for _, client := range slices.Sorted(maps.Keys(totals)) {
		total := totals[client]
		if !total.Equal(days[client]) && len(r.Problems) < maxProblems {
			r.Problems = append(r.Problems, fmt.Sprintf("what client %s has spent does not add up: %d tickets by day and %d in all", client, days[client].Tickets, total.Tickets))
		}
	}
	return nil
}
