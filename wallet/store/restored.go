package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const selectNewest = `SELECT MAX(at) FROM (
	SELECT MAX(reserved_at) AS at FROM reservations UNION ALL SELECT MAX(made_at) FROM requests
	UNION ALL SELECT MAX(created_at) FROM intents UNION ALL SELECT MAX(signed_at) FROM attempts) times`

// Restored is why a store may lack records: it was restored from a backup or copied, and the
// user has not acknowledged that.
type Restored struct {
	// Cause is what was found, At is when.
	Cause Cause     `json:"cause"`
	At    time.Time `json:"at"`

	// Newest is the time of the newest record that the store had then, zero if it had none.
	// Later records may be missing.
	Newest time.Time `json:"newest"`
}

// Restored returns why the store may lack records; nil if it lacks none or that was acknowledged.
func (s *Store) Restored(ctx context.Context) (*Restored, error) {
	return read(ctx, s, "read whether the store was restored", restored)
}

// Acknowledge accepts that the store may lack records: unknown request IDs count as new again,
// transactions may be begun, and the day's budget counts the spending that is recorded. This
// decision is a person's, who has checked what may be repeated.
//
// shown is what that person saw. It fails with *UnacknowledgedError if something else was found
// since.
func (s *Store) Acknowledge(ctx context.Context, shown Restored) error {
	return s.writeFor(ctx, "acknowledge that the store was restored", func(tx *db.Tx) error {
		found, err := restored(tx)
		if err != nil || found == nil {
			return err // another process was faster
		}
		if *found != shown {
			return &UnacknowledgedError{*found}
		}
		return tx.Together(db.Do(deleteMeta, metaRestored), db.Do(deleteMeta, metaSpent))
	})
}

// UnacknowledgedError is a request or transaction that is not begun because the store may have
// lost the record of an earlier one.
type UnacknowledgedError struct{ Restored }

func (e *UnacknowledgedError) Error() string {
	return fmt.Sprintf("the store may lack the record that this was done before: %v (found at %s)", e.Cause, e.At.Format(time.RFC3339))
}

// Hint says what can be done.
func (e *UnacknowledgedError) Hint() string {
	return "pmctl store acknowledge shows what may be repeated, and allows it once you confirm"
}

// RestoredError is a store that was restored, or replaced by a copy, while it was in use. The
// change was not written.
type RestoredError struct {
	// Path is where the store is, as Store.Path returns it.
	Path  string
	Cause Cause
}

func (e *RestoredError) Error() string {
	return fmt.Sprintf("the store %s changed while it was in use: %v", e.Path, e.Cause)
}

func (e *RestoredError) Is(target error) bool { return target == tx.ErrReplaced }

// Hint says what can be done.
func (e *RestoredError) Hint() string {
	return "run it again with fresh ticket params; pmctl store acknowledge shows what may be repeated"
}

// requireAcknowledged fails with *UnacknowledgedError if the store may have lost records. Call
// it before anything that must happen only once and has no record.
func requireAcknowledged(tx *db.Tx) error {
	var refusal error
	if err := tx.Together(readRequireAcknowledged(&refusal)); err != nil {
		return err
	}
	return refusal
}

// readRequireAcknowledged reads why nothing may be begun that must happen only once; into stays
// nil if it may.
func readRequireAcknowledged(into *error) db.Statement {
	var found *Restored
	return readRestored(&found).Then(func(int64) error {
		if found != nil {
			*into = &UnacknowledgedError{*found}
		}
		return nil
	})
}

func restored(tx *db.Tx) (found *Restored, err error) {
	err = tx.Together(readRestored(&found))
	return found, err
}

// readRestored reads why the store may lack records; into stays nil if it lacks none.
func readRestored(into **Restored) db.Statement {
	return db.Ask(db.One[string], func(text string) error {
		*into = new(Restored)
		if err := json.Unmarshal([]byte(text), *into); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrDamaged, metaRestored, err)
		}
		return nil
	}, selectMeta, metaRestored)
}

// setRestored records that the store may lack records. An earlier cause that was not
// acknowledged stays.
func setRestored(tx *db.Tx, cause Cause, now time.Time) error {
	r := Restored{Cause: cause, At: now.UTC().Truncate(time.Second)}
	if err := tx.Row(selectNewest).Scan((*millis)(&r.Newest)); err != nil {
		return err
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
	return tx.Together(
		db.Do(upsertMeta, metaRestored, string(text)),
		db.Do(upsertMeta, metaSpent, startOfDay(now).Format(time.DateOnly)+" "+string(cause.Code)))
}
