package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const selectNewest = `SELECT COALESCE(MAX(at), 0) FROM (
	SELECT MAX(reserved_at) AS at FROM reservations UNION ALL SELECT MAX(made_at) FROM requests
	UNION ALL SELECT MAX(created_at) FROM intents UNION ALL SELECT MAX(signed_at) FROM attempts) times`

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
func (s *Store) Restored(ctx context.Context) (*Restored, error) {
	return read(ctx, s, "read whether the store was restored", restored)
}

// Acknowledge ends what follows from a store that may lack records: request ids that it
// does not know are new again, transactions may be begun, and the day's budget counts what
// the store knows of. It is for a person to do, who knows what may be repeated.
//
// shown is what that person saw. It fails with *UnacknowledgedError when something else was
// found since.
func (s *Store) Acknowledge(ctx context.Context, shown Restored) error {
	return s.writeFor(ctx, "acknowledge that the store was restored", func(tx *db.Tx) error {
		found, err := restored(tx)
		if err != nil || found == nil {
			return err // another process was faster
		}
		if *found != shown {
			return &UnacknowledgedError{*found}
		}
		for _, name := range []string{metaRestored, metaSpent} {
			if err := tx.Exec(deleteMeta, name); err != nil {
				return err
			}
		}
		return nil
	})
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

// requireAcknowledged fails with *UnacknowledgedError where the store may have lost the record of what
// it does not know. Whatever must be done only once passes here when no record of it is found.
func requireAcknowledged(tx *db.Tx) error {
	found, err := restored(tx)
	if err == nil && found != nil {
		err = &UnacknowledgedError{*found}
	}
	return err
}

func restored(tx *db.Tx) (*Restored, error) {
	var text string
	if found, err := tx.Row(selectMeta, metaRestored).Find(&text); err != nil || !found {
		return nil, err
	}
	r := new(Restored)
	if err := json.Unmarshal([]byte(text), r); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, metaRestored, err)
	}
	return r, nil
}

// setRestored notes that the store may lack records. What was doubted before and not acknowledged
// stays in doubt.
func setRestored(tx *db.Tx, cause Cause, now time.Time) error {
	var newest int64
	if err := tx.Row(selectNewest).Scan(&newest); err != nil {
		return err
	}
	r := Restored{Cause: cause, At: now.UTC().Truncate(time.Second)}
	if newest > 0 {
		r.Newest = fromMillis(newest)
	}
	before, err := restored(tx)
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
	if err := tx.Exec(upsertMeta, metaRestored, string(text)); err != nil {
		return err
	}
	return tx.Exec(upsertMeta, metaSpent, startOfDay(now).Format(time.DateOnly)+" "+string(cause.Code))
}
