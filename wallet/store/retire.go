package store

import (
	"context"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	insertFormer    = `INSERT INTO former_ids (store_id, ended_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	retireSessions  = `UPDATE sessions SET retired_at = $1 WHERE retired_at IS NULL`
	deleteAllParams = `DELETE FROM params`
)

// Retirement is what was done with a store that was moved, copied or restored.
type Retirement struct {
	// Reason says what was found.
	Reason Cause
	// Sessions is how many sessions were retired.
	Sessions int64
}

// Retirement returns what was done when the store was opened, nil if nothing had to be. Only
// one of the processes that open the store gets it.
func (s *Store) Retirement() *Retirement { return s.retirement }

// Unremembered reports whether the store is in a database that was in use before and that this
// machine has no record of, so that pmctl cannot tell whether it was restored from a backup.
func (s *Store) Unremembered() bool { return s.unremembered }

// retire withdraws everything that another copy may have used since: it retires every session,
// counts the day's budget as spent, and takes a new ID, so that ticket params fetched under the
// old one are refused.
func retire(tx *db.Tx, found *condition) (*Retirement, error) {
	now := time.Now()
	if err := setRestored(tx, *found.cause, now); err != nil {
		return nil, err
	}
	sessions, err := tx.Change(retireSessions, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	former := found.id
	found.id = newID()
	return &Retirement{Reason: *found.cause, Sessions: sessions}, tx.Together(
		db.Do(deleteAllParams),
		db.Do(insertFormer, former, now.UnixMilli()),
		db.Do(insertFormer, found.seen.id, now.UnixMilli()),
		db.Do(updateMeta, found.id, metaID))
}

// write runs do in a transaction that has the store's write lock from its start, and returns
// once it is on disk. do may run more than once, and must then do the same. If the store was
// restored or replaced, write fails with *RestoredError.
func (s *Store) write(ctx context.Context, do func(*db.Tx) error) error {
	return s.writeAs(ctx, false, func(tx *db.Tx, _, _ markState) error { return do(tx) })
}

// writeAs is write, also for the move that a store awaits. do gets the store's state before the change and
// after it: between two changes of which the second finds what the first left, nothing has written.
func (s *Store) writeAs(ctx context.Context, moving bool, do func(tx *db.Tx, before, after markState) error) error {
	var found condition
	var now markState
	err := s.db.Write(ctx, func(tx *db.Tx) (err error) {
		if found, err = s.examine(ctx, tx); err != nil {
			return err
		}
		switch {
		case found.movedTo != "":
			return &MovedError{To: found.movedTo}
		case found.awaits != "" && !moving:
			return errAwaiting(s.Path(), found.awaits)
		case found.cause != nil:
			now, err = s.retireInUse(tx, &found)
			return err
		case found.id != s.ID():
			return s.followRetired(tx, found)
		}
		now = s.nextGeneration(tx, found)
		return do(tx, found.markState, now)
	})
	if err != nil {
		return err
	}
	s.remember(now)
	if found.cause != nil {
		return &RestoredError{Path: s.db.Name, Cause: *found.cause}
	}
	return nil
}

// writeFor is write with the operation's name in its errors.
func (s *Store) writeFor(ctx context.Context, what string, do func(*db.Tx) error) error {
	if err := s.write(ctx, do); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// followRetired takes over the ID of a store that another process has retired, and fails with
// *RestoredError. The caller's change was meant for the store's earlier state: its ticket
// params may name a session whose nonces this store has lost.
func (s *Store) followRetired(tx *db.Tx, found condition) error {
	r, err := restored(tx)
	if err != nil {
		return err
	}
	cause := Cause{Code: CauseOther}
	if r != nil {
		cause = r.Cause
	}
	s.setID(found.id)
	return &RestoredError{Path: s.db.Name, Cause: cause}
}

// retireInUse retires a restored store that this process has open. A file's pages in memory do
// not match those on disk then: it fails with *RestoredError, and the file is retired when it
// is opened next.
func (s *Store) retireInUse(tx *db.Tx, found *condition) (now markState, err error) {
	if s.db.IsFile() {
		return now, &RestoredError{Path: s.db.Name, Cause: *found.cause}
	}
	if _, err := retire(tx, found); err != nil {
		return now, err
	}
	return s.writeHome(tx, *found)
}
