package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	insertSession = `INSERT INTO sessions (recipient_rand_hash, used_nonces) VALUES ($1, 0) ON CONFLICT DO NOTHING`
	selectSession = `SELECT used_nonces, retired_at FROM sessions WHERE recipient_rand_hash = $1`
	selectLast    = `SELECT first_nonce + nonces - 1 FROM reservations WHERE recipient_rand_hash = $1 ORDER BY first_nonce DESC LIMIT 1`
	// advanceUsed compares the old count too, so that a wrong isolation level shows as no row
	// changed and not as a nonce used twice.
	advanceUsed = `UPDATE sessions SET used_nonces = $1 WHERE recipient_rand_hash = $2 AND used_nonces = $3`
)

// UsedNonces returns how many nonces of a session, counted from 1, are taken. It fails with
// ErrRetired for a retired session.
func (c *Chain) UsedNonces(ctx context.Context, recipientRandHash common.Hash) (uint32, error) {
	return read(ctx, c.store, fmt.Sprintf("read session %v", recipientRandHash), func(tx *db.Tx) (uint32, error) {
		return usedNonces(tx, recipientRandHash)
	})
}

// retired is the ErrRetired of a session that was retired at a time in milliseconds.
func retired(session common.Hash, at int64) error {
	err := fmt.Errorf("session %v was retired at %s because the store was moved, copied or restored", session, fromMillis(at).Format(time.RFC3339))
	return hint.With(hint.Kind(ErrRetired, err), "fetch fresh ticket params: pmctl params fetch URL")
}

// usedNonces fails with ErrRetired. A new session has used none.
func usedNonces(tx *db.Tx, hash common.Hash, with ...db.Statement) (uint32, error) {
	type session struct {
		used    uint32
		retired sql.NullInt64
	}
	var found session
	err := tx.Together(append(with, db.Ask(db.Fields(func(s *session) []any { return []any{&s.used, &s.retired} }), func(s session) error {
		found = s
		return nil
	}, selectSession, hash.Hex()))...)
	if err == nil && found.retired.Valid {
		err = retired(hash, found.retired.Int64)
	}
	return found.used, err
}

// takeNonces takes a session's next nonces, and runs statements on the way.
func takeNonces(tx *db.Tx, hash common.Hash, count, most uint32, with ...db.Statement) (nonces pm.NonceRange, err error) {
	var last int64
	used, err := usedNonces(tx, hash, append(with, db.Do(insertSession, hash.Hex()), db.Ask(db.One[int64], func(end int64) error {
		last = end
		return nil
	}, selectLast, hash.Hex()))...)
	// They are on different pages of the file, so that one damaged page cannot set a session back.
	if err == nil && last != int64(used) {
		err = unevenError(hash, int64(used), last)
	}
	if err != nil {
		return nonces, err
	}
	if nonces, err = pm.NextNonces(hash, used, count, most); err != nil {
		return nonces, err
	}
	tx.Later(db.Do(advanceUsed, int64(used)+int64(count), hash.Hex(), used).Then(func(changed int64) error {
		if changed != 1 {
			return fmt.Errorf("session %v: %d rows advanced instead of 1: %w", hash, changed, ErrDamaged)
		}
		return nil
	}))
	return nonces, nil
}

func unevenError(hash common.Hash, used, last int64) error {
	return fmt.Errorf("%w: session %v has used %d nonces, but its last reservation ends at %d", ErrDamaged, hash, used, last)
}
