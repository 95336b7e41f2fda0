package store

import (
	"context"
	"errors"
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

	// acknowledged is how far a consumer, $1, has acknowledged each client's payments; those of no
	// client have an empty one.
	acknowledged = ` FROM (SELECT id FROM signer_clients UNION ALL SELECT '') c
		LEFT JOIN signer_acknowledged a ON a.client = c.id AND a.consumer = $1`
	// later are a client's payments beyond that. An aggregate of each client's finds them in the
	// index, where a join, which PostgreSQL makes of EXISTS too, reads all payments.
	later = ` FROM signer_payments p WHERE p.client = c.id AND p.position > COALESCE(a.position, 0)`

	selectBehind  = `SELECT c.id, COALESCE(a.position, 0)` + acknowledged + ` WHERE (SELECT MAX(p.position)` + later + `) IS NOT NULL ORDER BY c.id`
	selectBacklog = `SELECT CAST(SUM(n) AS BIGINT), COALESCE(MIN(oldest), 0)
		FROM (SELECT (SELECT COUNT(*)` + later + `) AS n, (SELECT MIN(p.made_at)` + later + `) AS oldest` + acknowledged + `) each_client`
	selectAcknowledged = `SELECT position FROM signer_acknowledged WHERE consumer = $1 AND client = $2`
	selectNewestOf     = `SELECT COALESCE(MAX(position), 0) FROM signer_payments WHERE client = $1`
	upsertAcknowledge  = `INSERT INTO signer_acknowledged (consumer, client, position, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (consumer, client) DO UPDATE SET position = excluded.position, at = excluded.at
		WHERE signer_acknowledged.position < excluded.position`

	selectWindow = `SELECT COALESCE(MAX(position), 0) FROM (SELECT position FROM signer_payments WHERE position > $1 ORDER BY position LIMIT $2) w`

	// A client that has ever acknowledged a payment itself is waited for, too. Its newest payment stays: the
	// positions continue from it.
	oldUsage = ` FROM signer_payments p
		LEFT JOIN signer_acknowledged a ON a.client = p.client AND a.consumer = $1
		LEFT JOIN signer_acknowledged own ON own.client = p.client AND own.consumer = $3
		LEFT JOIN signer_sessions s ON s.chain_id = p.chain_id AND s.sender = p.sender AND s.state_id = p.state_id
		WHERE p.position > $4 AND p.position <= $5 AND p.made_at < $2
			AND p.position <= COALESCE(a.position, 0) AND p.position <= COALESCE(own.position, p.position)
			AND p.position < (SELECT MAX(n.position) FROM signer_payments n WHERE n.client = p.client)`

	// A session whose last payment is old is removed before that. Those that another signer has begun stay:
	// without a record their states, however old, would be taken over again.
	deleteSessions = `DELETE FROM signer_sessions WHERE (state_id, chain_id, sender) IN (SELECT s.state_id, s.chain_id, s.sender` + oldUsage + `
		AND p.sequence = s.sequence AND LENGTH(s.state_id) = $6)`
	deleteUsage = `DELETE FROM signer_payments WHERE position IN (SELECT p.position` + oldUsage + ` AND (s.sequence IS NULL OR p.sequence < s.sequence))`
)

// LiveUsage is the record of all payments of live sessions in a store, as it is sent to
// consumers: at least once, and each client's in order.
type LiveUsage struct{ store *Store }

// LiveUsage returns the store's.
func (s *Store) LiveUsage() *LiveUsage { return &LiveUsage{s} }

// OfClient returns at most limit payments of a client beyond a position, in order; client "" has
// those of no client.
func (u *LiveUsage) OfClient(ctx context.Context, client string, position int64, limit int) ([]*LivePayment, error) {
	return read(ctx, u.store, "read the usage", func(tx *db.Tx) ([]*LivePayment, error) {
		return db.List(tx, scanLivePayment, selectClientUsage, position, limit, client)
	})
}

// After returns at most limit payments beyond a position, in order.
func (u *LiveUsage) After(ctx context.Context, position int64, limit int) ([]*LivePayment, error) {
	return read(ctx, u.store, "read the usage", func(tx *db.Tx) ([]*LivePayment, error) {
		return db.List(tx, scanLivePayment, selectUsage, position, limit)
	})
}

// The consumers of the usage. A payment may be removed when its consumer has acknowledged it.
const (
	// ConsumerCollector is an operator's server, to which the signer sends events.
	ConsumerCollector = "collector"
	// ConsumerClient is the client itself, which asks for its events.
	ConsumerClient = "client"
)

// Lag is a client of which a consumer has not acknowledged every payment.
type Lag struct {
	// Client is its ID, "" for the payments of no client.
	Client string
	// Acknowledged is the position up to which the consumer has its payments.
	Acknowledged int64
}

// Behind returns the clients of which a consumer lacks payments.
func (u *LiveUsage) Behind(ctx context.Context, consumer string) ([]Lag, error) {
	return read(ctx, u.store, "look for undelivered usage", func(tx *db.Tx) ([]Lag, error) {
		return db.List(tx, db.Fields(func(l *Lag) []any { return []any{&l.Client, &l.Acknowledged} }), selectBehind, consumer)
	})
}

// Acknowledged returns the position up to which a consumer has a client's payments, 0 for none.
func (u *LiveUsage) Acknowledged(ctx context.Context, consumer, client string) (position int64, err error) {
	return read(ctx, u.store, "read what was acknowledged", func(tx *db.Tx) (int64, error) {
		_, err := tx.Row(selectAcknowledged, consumer, client).Find(&position)
		return position, err
	})
}

// ErrNoPayment is returned for a position beyond a client's last payment.
var ErrNoPayment = errors.New("the client has no payment at this position or after it")

// Acknowledge notes that a consumer has a client's payments up to a position, at least: it
// never takes that back. It fails with ErrNoPayment, which protects payments to come.
func (u *LiveUsage) Acknowledge(ctx context.Context, consumer, client string, position int64) error {
	return u.store.writeFor(ctx, fmt.Sprintf("acknowledge the usage of client %q", client), func(tx *db.Tx) error {
		var newest int64
		if err := tx.Row(selectNewestOf, client).Scan(&newest); err != nil {
			return err
		}
		if position > newest {
			return ErrNoPayment
		}
		return tx.Exec(upsertAcknowledge, consumer, client, position, time.Now().UnixMilli())
	})
}

// Newest returns the position of a client's last payment, 0 for none.
func (u *LiveUsage) Newest(ctx context.Context, client string) (position int64, err error) {
	return read(ctx, u.store, "read the usage", func(tx *db.Tx) (int64, error) {
		err := tx.Row(selectNewestOf, client).Scan(&position)
		return position, err
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

// prunedAtOnce is how many payments Prune looks at while new ones wait, whether it removes them or not.
const prunedAtOnce = 1000

// Prune removes payments that were made before a time and that the consumer has acknowledged,
// as has the client itself if it ever did, and returns how many. Their states and keys are
// answered no more, and a session without any is one that the signer has no record of. What each client
// spent stays, its newest payment, and the last payment of each session that another signer has begun.
func (u *LiveUsage) Prune(ctx context.Context, consumer string, before time.Time) (removed int64, err error) {
	for last, end := int64(0), int64(0); ; last = end {
		var some int64
		err = u.store.writeFor(ctx, "remove old usage", func(tx *db.Tx) (err error) {
			if err = tx.Row(selectWindow, last, prunedAtOnce).Scan(&end); err != nil {
				return err
			}
			if err = tx.Exec(deleteSessions, consumer, before.UnixMilli(), ConsumerClient, last, end, 2*stateIDBytes); err != nil {
				return err
			}
			if some, err = tx.Change(deleteUsage, consumer, before.UnixMilli(), ConsumerClient, last, end); err == nil && some == 0 {
				return errNothingTaken
			}
			return err
		})
		if errors.Is(err, errNothingTaken) {
			err = nil
		}
		if removed += some; err != nil || end == 0 {
			return removed, err
		}
	}
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
	FROM (SELECT * FROM signer_sessions WHERE updated_at >= $1 ORDER BY updated_at DESC, state_id LIMIT $2) s
	JOIN signer_payments p ON p.chain_id = s.chain_id AND p.sender = s.sender AND p.state_id = s.state_id AND p.sequence = s.sequence
	ORDER BY s.updated_at DESC, s.state_id`

// Sessions returns at most limit sessions that were paid since a time, the newest first.
func (u *LiveUsage) Sessions(ctx context.Context, since time.Time, limit int) ([]*LiveSession, error) {
	return read(ctx, u.store, "list the live sessions", func(tx *db.Tx) ([]*LiveSession, error) {
		return db.List(tx, func(rows db.Scanner) (s *LiveSession, err error) {
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
		spent, err := clientSpending(tx, []string{client}, startOfDay(at))
		return *spent[client], err
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
	lost, err := db.List(tx, db.One[string], selectLostPayments)
	if err != nil {
		return err
	}
	r.Problems = append(r.Problems, lost...)
	days, totals := make(map[string]policy.Sum), make(map[string]policy.Sum)
	err = db.Each(tx, scanClientSum, func(one clientSum) error {
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
