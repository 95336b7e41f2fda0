package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// MovedError is a store that was carried to another place and is used there.
type MovedError struct {
	// To is where it is now.
	To string
}

func (e *MovedError) Error() string { return "the store was migrated to " + e.To }

// Hint says what to do.
func (e *MovedError) Hint() string { return "use that one; this one makes no more tickets" }

// checkMoved fails with *MovedError.
func checkMoved(ctx context.Context, tx *sql.Tx) error {
	to, err := meta(ctx, tx, metaMoved)
	switch {
	case errors.Is(err, errNoMeta):
		return nil
	case err != nil:
		return err
	}
	return &MovedError{To: to}
}

// Migrate carries all of a store to another one that nothing was done with, which goes
// on in its place under its id: sessions with their nonces, requests, what was spent,
// kept params. From then on s refuses to change anything with *MovedError. After a
// failure it can be run again, with the same two stores.
func (s *Store) Migrate(ctx context.Context, to *Store) error {
	err := s.tx(ctx, true, func(tx *sql.Tx) error {
		err := checkMoved(ctx, tx)
		var moved *MovedError
		if errors.As(err, &moved) && moved.To == to.path {
			return nil // an earlier run began it
		}
		if err != nil {
			return err
		}
		if s.ID() == to.ID() {
			return fmt.Errorf("%w: it is the same store", ErrNotEmpty)
		}
		if err := to.requireEmpty(ctx); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, upsertMeta, metaMoved, to.path)
		return err
	})
	if err == nil && to.ID() != s.ID() {
		err = s.carry(ctx, to)
	}
	if err != nil {
		return fmt.Errorf("migrate the store to %s: %w", to.path, err)
	}
	return nil
}

// requireEmpty fails with ErrNotEmpty.
func (s *Store) requireEmpty(ctx context.Context) error {
	return s.read(ctx, func(tx *sql.Tx) error {
		for _, table := range dataTables() {
			var count int64
			if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+table).Scan(&count); err != nil {
				return err
			}
			if count > 0 {
				return ErrNotEmpty
			}
		}
		return nil
	})
}

// carry copies every table in one transaction.
func (s *Store) carry(ctx context.Context, to *Store) error {
	if err := to.requireEmpty(ctx); err != nil {
		return err
	}
	err := to.write(ctx, func(into *sql.Tx) error {
		return s.read(ctx, func(from *sql.Tx) error {
			for _, table := range dataTables() {
				if err := carryTable(ctx, from, into, table); err != nil {
					return fmt.Errorf("%s: %w", table, err)
				}
			}
			facts, err := allMeta(ctx, from)
			if err != nil {
				return err
			}
			for _, name := range []string{metaSpent, metaRestored} {
				if value, ok := facts[name]; ok {
					if _, err := into.ExecContext(ctx, upsertMeta, name, value); err != nil {
						return err
					}
				}
			}
			if _, err := into.ExecContext(ctx, insertFormer, to.ID(), time.Now().UnixMilli()); err != nil {
				return err
			}
			_, err = into.ExecContext(ctx, updateMeta, s.ID(), metaID)
			return err
		})
	})
	if err == nil {
		to.setID(s.ID())
	}
	return err
}

func carryTable(ctx context.Context, from, into *sql.Tx, table string) error {
	rows, err := from.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values, places := make([]any, len(columns)), make([]string, len(columns))
	for i := range columns {
		values[i], places[i] = new(any), fmt.Sprintf("$%d", i+1)
	}
	insert := fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s)`, table, strings.Join(columns, ", "), strings.Join(places, ", "))
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
		row := make([]any, len(values))
		for i, v := range values {
			row[i] = *v.(*any)
		}
		if _, err := into.ExecContext(ctx, insert, row...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// placeTables are about where a store is and was, not about what was done with it.
var placeTables = []string{"meta", "former_ids", "writers"}

// dataTables are all other tables, in an order in which rows find what they refer to.
// A later version may create one anew.
func dataTables() (names []string) {
	created := regexp.MustCompile(`^CREATE TABLE (\w+)`)
	for _, statement := range slices.Concat(schema...) {
		if found := created.FindStringSubmatch(statement); found != nil && !slices.Contains(placeTables, found[1]) && !slices.Contains(names, found[1]) {
			names = append(names, found[1])
		}
	}
	return names
}
