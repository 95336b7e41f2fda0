package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/wallet/tx"
)

// version9 tells an older copy of a store from the store.
var version9 = []string{
	// The ids that the store had before it was retired, or took another's place.
	`CREATE TABLE former_ids (
		store_id TEXT   PRIMARY KEY,
		ended_at BIGINT NOT NULL
	)`,
	// The generation of the last change of each process, once another has changed the
	// store after it.
	`CREATE TABLE writers (
		writer     TEXT   PRIMARY KEY,
		generation BIGINT NOT NULL
	)`,
}

// writersVersion is the schema version that brought them.
const writersVersion = 9

const (
	insertFormer = `INSERT INTO former_ids (store_id, ended_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	countFormer  = `SELECT COUNT(*) FROM former_ids WHERE store_id = $1`
	upsertWriter = `INSERT INTO writers (writer, generation) VALUES ($1, $2)
		ON CONFLICT (writer) DO UPDATE SET generation = excluded.generation`
	selectWriter = `SELECT generation FROM writers WHERE writer = $1`
	deleteMeta   = `DELETE FROM meta WHERE name = $1`
	selectNewest = `SELECT COALESCE(MAX(at), 0) FROM (
		SELECT MAX(reserved_at) AS at FROM reservations UNION ALL SELECT MAX(made_at) FROM requests
		UNION ALL SELECT MAX(created_at) FROM intents UNION ALL SELECT MAX(signed_at) FROM attempts) times`
)

// CauseCode names why a store may lack records.
type CauseCode string

// The codes of causes.
const (
	CauseMachine  CauseCode = "machine"  // it was on another machine, or server
	CausePath     CauseCode = "path"     // it was at another path, or in another database
	CauseFile     CauseCode = "file"     // its file is another one
	CauseServer   CauseCode = "server"   // its server was restored, or a standby promoted
	CauseTables   CauseCode = "tables"   // its tables were created again
	CauseNoMark   CauseCode = "no_mark"  // the mark beside its file is gone
	CauseMark     CauseCode = "mark"     // the mark is another file, or cannot be read
	CauseGone     CauseCode = "gone"     // there was a store, and is none
	CauseOther    CauseCode = "other"    // another store took its place
	CauseOlder    CauseCode = "older"    // it is an older copy
	CauseFork     CauseCode = "fork"     // it was an older copy, and was used since
	CauseImported CauseCode = "imported" // its ledger was imported
)

// Cause is why a store may lack records.
type Cause struct {
	Code CauseCode `json:"code"`

	// Was is where it was before, for CausePath.
	Was string `json:"was,omitempty"`
}

// String says it for people.
func (c Cause) String() string {
	switch c.Code {
	case CauseMachine:
		return "it was on another machine before"
	case CausePath:
		return "it was at " + c.Was + " before"
	case CauseFile:
		return "its file is another one than before"
	case CauseServer:
		return "its server was restored from a backup, or a standby took its place"
	case CauseTables:
		return "its tables were created again, as restoring a dump does"
	case CauseNoMark:
		return "the mark beside it is gone"
	case CauseMark:
		return "the mark beside it was replaced or changed"
	case CauseGone:
		return "the store that was here before is gone"
	case CauseOther:
		return "another store was put in its place"
	case CauseOlder:
		return "an older copy was put in its place"
	case CauseFork:
		return "an older copy was put in its place, and has been used since"
	case CauseImported:
		return "its ledger was imported"
	}
	return string(c.Code)
}

// Retirement is what a store did that is not where, or not what, it was.
type Retirement struct {
	// Reason says what was found.
	Reason Cause

	// Sessions is how many sessions were retired.
	Sessions int64
}

// Retirement returns what was done when the store was opened, and nil when it was
// found as it was left. It is reported to one of those who open the store.
func (s *Store) Retirement() *Retirement { return s.retirement }

// Unremembered tells that the store is in a database that was in use before, and that this
// machine remembers nothing of it: whether it was restored from a backup cannot be told.
func (s *Store) Unremembered() bool { return s.unremembered }

// Restored is a store that may lack records, because it was restored from a backup or is a
// copy, until that is acknowledged.
type Restored struct {
	// Cause is what was found, At when.
	Cause Cause     `json:"cause"`
	At    time.Time `json:"at"`

	// Newest is when the newest record was written that the store had then; zero where
	// it had none. What was done later may be missing.
	Newest time.Time `json:"newest"`
}

// Restored returns why the store may lack records; nil when it lacks none, or when that
// was acknowledged.
func (s *Store) Restored(ctx context.Context) (r *Restored, err error) {
	err = s.read(ctx, func(tx *sql.Tx) (err error) {
		r, err = restored(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read whether the store was restored: %w", err)
	}
	return r, nil
}

// Acknowledge ends what follows from a store that may lack records: request ids that it
// does not know are new again, transactions may be begun, and the day's budget counts what
// the store knows of. It is for a person to do, who knows what may be repeated.
//
// shown is what that person saw. It fails with *UnacknowledgedError when something else was
// found since.
func (s *Store) Acknowledge(ctx context.Context, shown Restored) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		found, err := restored(ctx, tx)
		if err != nil || found == nil {
			return err // another process was faster
		}
		if *found != shown {
			return &UnacknowledgedError{*found}
		}
		for _, name := range []string{metaRestored, metaSpent} {
			if _, err := tx.ExecContext(ctx, deleteMeta, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("acknowledge that the store was restored: %w", err)
	}
	return nil
}

// UnacknowledgedError is something that is not begun, since the store may have lost the
// record that it was done already.
type UnacknowledgedError struct{ Restored }

func (e *UnacknowledgedError) Error() string {
	return fmt.Sprintf("the store may lack the record that this was done before: %v (found at %s)", e.Cause, e.At.Format(time.RFC3339))
}

// Hint says what to do.
func (e *UnacknowledgedError) Hint() string {
	return "pmctl store acknowledge shows what may be repeated, and then allows it"
}

// RestoredError is a store that was restored, or replaced by a copy, while it was in use.
// What was to be written was not.
type RestoredError struct {
	// Path is where the store is, as Store.Path returns it.
	Path  string
	Cause Cause
}

func (e *RestoredError) Error() string {
	return fmt.Sprintf("the store %s changed while it was in use: %v", e.Path, e.Cause)
}

// Is matches tx.ErrReplaced.
func (e *RestoredError) Is(target error) bool { return target == tx.ErrReplaced }

// Hint says what to do.
func (e *RestoredError) Hint() string {
	return "run it again with fresh ticket params; pmctl store acknowledge shows what may be repeated"
}

// mayBeNew fails with *UnacknowledgedError where the store may have lost the record of what
// it does not know. Whatever must be done only once passes here when no record of it is found.
func mayBeNew(ctx context.Context, tx querier) error {
	found, err := restored(ctx, tx)
	if err == nil && found != nil {
		err = &UnacknowledgedError{*found}
	}
	return err
}

func restored(ctx context.Context, tx querier) (*Restored, error) {
	var text string
	err := scanRow(tx.QueryRowContext(ctx, selectMeta, metaRestored), &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := new(Restored)
	if err := json.Unmarshal([]byte(text), r); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, metaRestored, err)
	}
	return r, nil
}

// doubt notes that the store may lack records. What was doubted before and not acknowledged
// stays in doubt.
func doubt(ctx context.Context, tx *sql.Tx, cause Cause, now time.Time) error {
	var newest int64
	if err := tx.QueryRowContext(ctx, selectNewest).Scan(&newest); err != nil {
		return err
	}
	r := Restored{Cause: cause, At: now.UTC().Truncate(time.Second)}
	if newest > 0 {
		r.Newest = time.UnixMilli(newest).UTC()
	}
	before, err := restored(ctx, tx)
	if err != nil {
		return err
	}
	if before != nil && before.Newest.Before(r.Newest) {
		r.Newest = before.Newest
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		metaRestored: string(text),
		metaSpent:    startOfDay(now).Format(time.DateOnly) + " " + string(cause.Code),
	} {
		if _, err := tx.ExecContext(ctx, upsertMeta, name, value); err != nil {
			return err
		}
	}
	return nil
}

// retire ends all that others may have used since: it ends every session, counts the day's
// budget as spent, and takes a new id, so that ticket params fetched under the old one are
// refused.
func (s *Store) retire(ctx context.Context, tx *sql.Tx, found *condition) (*Retirement, error) {
	now := time.Now()
	if err := doubt(ctx, tx, *found.cause, now); err != nil {
		return nil, err
	}
	result, err := tx.ExecContext(ctx, retireSessions, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	sessions, err := result.RowsAffected()
	if err != nil {
		return nil, err
	}
	former := found.id
	found.id = newID()
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{deleteAllParams, nil},
		{updateMeta, []any{found.id, metaID}},
		{insertFormer, []any{former, now.UnixMilli()}},
		{insertFormer, []any{found.seen.id, now.UnixMilli()}},
	} {
		if _, err := tx.ExecContext(ctx, statement.sql, statement.args...); err != nil {
			return nil, err
		}
	}
	return &Retirement{Reason: *found.cause, Sessions: sessions}, nil
}

// followRetired takes over the id of a store that another process has retired, and fails
// with *RestoredError. What is to be done was asked of the store as it was: its ticket params
// may name a session whose nonces this one has lost.
func (s *Store) followRetired(ctx context.Context, tx *sql.Tx, found condition) error {
	cause := Cause{Code: CauseOther}
	if r, err := restored(ctx, tx); err != nil {
		return err
	} else if r != nil {
		cause = r.Cause
	}
	s.setID(found.id)
	return &RestoredError{Path: s.path, Cause: cause}
}

// retireInUse retires a store that was found restored by a process that has it open. Of a
// file such a process has pages in memory that do not go with those on disk: there it
// fails with *RestoredError, and the store is retired when it is opened next.
func (s *Store) retireInUse(ctx context.Context, tx *sql.Tx, found *condition, now *sighting) error {
	if s.mark == nil || s.mark.earlier != "" {
		return &RestoredError{Path: s.path, Cause: *found.cause}
	}
	_, err := s.retire(ctx, tx, found)
	if err == nil {
		*now, err = s.moveIn(ctx, tx, *found)
	}
	return err
}
