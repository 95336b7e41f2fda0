package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// MovedError is a store that was migrated to another place and is used there.
type MovedError struct {
	// To is its new place.
	To string
}

func (e *MovedError) Error() string { return "the store was migrated to " + e.To }

// Hint says what can be done.
func (e *MovedError) Hint() string {
	return "use the new store: pass --store with its location; this one creates no more tickets"
}

// ErrNotEmpty is returned for a store that is in use already.
var ErrNotEmpty = errors.New("the store is in use already")

// nameAnother says what can be done about ErrNotEmpty.
const nameAnother = "name a location that has no store; a file can be moved away first"

// Migrate copies all of a store into an unused one, which continues under the same ID: sessions
// with their nonces, requests, spending, ticket params. From then on every change to s fails
// with *MovedError, and until all is copied every change to the other one with ErrAccess. A failed
// call can be repeated with the same two stores.
func (s *Store) Migrate(ctx context.Context, to *Store) error {
	var left string // where the other store has gone itself
	err := to.db.Read(ctx, func(tx *db.Tx) error {
		_, err := tx.Row(selectMeta, metaMoved).Find(&left)
		return err
	})
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		var already string
		found, err := tx.Row(selectMeta, metaMoved).Find(&already)
		switch {
		case err != nil:
			return err
		case found && already == to.Path():
			return nil // an earlier run began it
		case found:
			return &MovedError{To: already}
		case s.ID() == to.ID() && left != "":
			return fmt.Errorf("%w: it was migrated to %s, and still has its records", ErrNotEmpty, left)
		case s.ID() == to.ID():
			return fmt.Errorf("%w: it is the same store", ErrNotEmpty)
		}
		if err := to.await(ctx, s); err != nil {
			return err
		}
		return tx.Exec(upsertMeta, metaMoved, to.Path())
	})
	if err == nil && to.ID() != s.ID() {
		err = s.carry(ctx, to)
	}
	if err == nil {
		return nil
	}
	err = fmt.Errorf("migrate the store to %s: %w", to.Path(), err)
	if errors.Is(err, ErrNotEmpty) {
		return hint.With(err, nameAnother)
	}
	return err
}

// await has an empty store refuse changes until the records of another one have come: a run that
// ends before that would leave a store that takes each of its requests for a new one.
func (s *Store) await(ctx context.Context, from *Store) error {
	return s.db.Write(ctx, func(tx *db.Tx) error {
		if err := requireEmpty(tx); err != nil {
			return err
		}
		return tx.Exec(upsertMeta, metaAwaits, from.Path())
	})
}

// errAwaiting is the error of a change to a store whose records have not come yet.
func errAwaiting(path, from string) error {
	return hint.With(fmt.Errorf("%w: the move of %s to %s is not complete", ErrAccess, from, path),
		"complete it: pmctl store migrate --store '%s' --to '%s'", from, path)
}

func requireEmpty(tx *db.Tx) error {
	for _, table := range dataTables {
		var count int64
		if err := tx.Row(`SELECT COUNT(*) FROM ` + table).Scan(&count); err != nil {
			return err
		}
		if count > 0 {
			return ErrNotEmpty
		}
	}
	return nil
}

// carry copies every table in one transaction.
func (s *Store) carry(ctx context.Context, to *Store) error {
	err := to.writeAs(ctx, true, func(into *db.Tx, _, _ markState) error {
		if err := requireEmpty(into); err != nil {
			return err
		}
		return s.db.Read(ctx, func(from *db.Tx) error {
			for _, table := range dataTables {
				if err := carryTable(from, into, table); err != nil {
					return fmt.Errorf("%s: %w", table, err)
				}
			}
			facts := make(map[string]string)
			if err := from.Together(readMeta(facts)); err != nil {
				return err
			}
			about := []db.Statement{db.Do(insertFormer, to.ID(), time.Now().UnixMilli()), db.Do(updateMeta, s.ID(), metaID), db.Do(deleteMeta, metaAwaits)}
			for _, name := range []string{metaSpent, metaRestored} {
				if value, ok := facts[name]; ok {
					about = append(about, db.Do(upsertMeta, name, value))
				}
			}
			return into.Together(about...)
		})
	})
	if err == nil {
		to.setID(s.ID())
	}
	return err
}

func carryTable(from, into *db.Tx, table string) error {
	return from.Copied(`SELECT * FROM `+table, func(columns []string, row []any) error {
		before := fmt.Sprintf(`INSERT INTO %s (%s) VALUES `, table, strings.Join(columns, ", "))
		return into.Together(into.Into(before, [][]any{row}, "")...)
	})
}
