package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Tx is a transaction. Its statements end with the context of its begin.
type Tx struct {
	ctx context.Context
	tx  *sql.Tx

	// statements are the prepared ones; nil if statements are not reused.
	statements map[string]*sql.Stmt
}

// Reuse prepares each statement once, for few statements that run often: SQLite takes as long
// to prepare one as to run it.
func (t *Tx) Reuse() { t.statements = make(map[string]*sql.Stmt) }

// statement returns nil if statements are not reused.
func (t *Tx) statement(query string) (*sql.Stmt, error) {
	if s := t.statements[query]; s != nil || t.statements == nil {
		return s, nil
	}
	s, err := t.tx.PrepareContext(t.ctx, query) // closed with the transaction
	if err == nil {
		t.statements[query] = s
	}
	return s, err
}

// Exec runs a statement.
func (t *Tx) Exec(query string, args ...any) error {
	_, err := t.Change(query, args...)
	return err
}

// Change runs a statement, and returns how many rows it has changed.
func (t *Tx) Change(query string, args ...any) (rows int64, err error) {
	s, err := t.statement(query)
	if err != nil {
		return 0, err
	}
	var result sql.Result
	if s != nil {
		result, err = s.ExecContext(t.ctx, args...)
	} else {
		result, err = t.tx.ExecContext(t.ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t *Tx) rows(query string, args []any) (*sql.Rows, error) {
	s, err := t.statement(query)
	switch {
	case err != nil:
		return nil, err
	case s != nil:
		return s.QueryContext(t.ctx, args...)
	}
	return t.tx.QueryContext(t.ctx, query, args...)
}

// Row is the first row of a query.
type Row struct {
	rows *sql.Rows
	err  error
}

// Row runs a query for its first row.
func (t *Tx) Row(query string, args ...any) Row {
	rows, err := t.rows(query, args)
	return Row{rows, err}
}

// Find reads the row, and returns false if there is none. A value that cannot be scanned is
// damage.
func (r Row) Find(into ...any) (found bool, err error) {
	if r.err != nil {
		return false, r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		return false, r.rows.Err()
	}
	if err := r.rows.Scan(into...); err != nil {
		return false, damaged(err)
	}
	return true, r.rows.Close()
}

// Scan is Find for a row that always exists.
func (r Row) Scan(into ...any) error {
	found, err := r.Find(into...)
	if err == nil && !found {
		err = damaged(sql.ErrNoRows)
	}
	return err
}

// Each calls use with each scanned row of a query. A row that cannot be scanned is damage. An
// error of use ends it.
func Each[T any](t *Tx, scan func(*sql.Rows) (T, error), use func(T) error, query string, args ...any) error {
	rows, err := t.rows(query, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return damaged(err)
		}
		if err := use(one); err != nil {
			return err
		}
	}
	return rows.Err()
}

// List returns the scanned rows of a query.
func List[T any](t *Tx, scan func(*sql.Rows) (T, error), query string, args ...any) (found []T, err error) {
	err = Each(t, scan, func(one T) error {
		found = append(found, one)
		return nil
	}, query, args...)
	return found, err
}

// Text scans a row of one text.
func Text(rows *sql.Rows) (text string, err error) {
	err = rows.Scan(&text)
	return text, err
}

func damaged(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}
