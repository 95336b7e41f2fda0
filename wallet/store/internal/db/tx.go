package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Tx is a transaction. Its statements end with the context of its begin.
type Tx struct {
	ctx context.Context
	tx  *sql.Tx

	// statements are the prepared ones; nil if statements are not reused.
	statements map[string]*sql.Stmt

	// rowByRow has rows written one by one: SQLite takes longer to read a statement for many
	// rows than to run one for each, and there is no way to a server.
	rowByRow bool
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
	if s != nil {
		return affected(s.ExecContext(t.ctx, args...))
	}
	return affected(t.tx.ExecContext(t.ctx, query, args...))
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

// Find reads the row, and returns false if there is none. A value that cannot be scanned is damage.
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
	return each(rows, scan, use)
}

func each[T any](rows *sql.Rows, scan func(*sql.Rows) (T, error), use func(T) error) error {
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

// places writes the places of parameters from number first on: "$3, $4".
func places(first, count int) string {
	text := make([]byte, 0, count*len("$1234, "))
	for i := range count {
		if i > 0 {
			text = append(text, ", "...)
		}
		text = strconv.AppendInt(append(text, '$'), int64(first+i), 10)
	}
	return string(text)
}

// maxParameters is how many parameters a statement may have, in either database.
const maxParameters = 30000

// ChangeAll runs a statement on several rows at once: before ends with VALUES, and after may
// say what happens on a conflict. It returns how many rows were changed.
func (t *Tx) ChangeAll(before string, rows [][]any, after string) (changed int64, err error) {
	if len(rows) == 0 {
		return 0, nil
	}
	if t.rowByRow {
		return t.changeEach(before+"(?"+strings.Repeat(", ?", len(rows[0])-1)+")"+after, rows)
	}
	for some := range slices.Chunk(rows, max(1, maxParameters/len(rows[0]))) {
		var text strings.Builder
		var args []any
		text.WriteString(before)
		for i, row := range some {
			if i > 0 {
				text.WriteString(", ")
			}
			text.WriteString("(" + places(len(args)+1, len(row)) + ")")
			args = append(args, row...)
		}
		text.WriteString(after)
		count, err := affected(t.tx.ExecContext(t.ctx, text.String(), args...))
		if err != nil {
			return changed, err
		}
		changed += count
	}
	return changed, nil
}

// changeEach runs a statement for each row.
func (t *Tx) changeEach(query string, rows [][]any) (changed int64, err error) {
	s, err := t.tx.PrepareContext(t.ctx, query)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	for _, row := range rows {
		count, err := affected(s.ExecContext(t.ctx, row...))
		if err != nil {
			return changed, err
		}
		changed += count
	}
	return changed, nil
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// ListIn is List for a query that ends with IN, over any number of values. args come before.
func ListIn[T any](t *Tx, scan func(*sql.Rows) (T, error), query string, args []any, values []string) (found []T, err error) {
	for some := range slices.Chunk(values, maxParameters) {
		all := append([]any(nil), args...)
		for _, value := range some {
			all = append(all, value)
		}
		rows, err := t.tx.QueryContext(t.ctx, query+" ("+places(len(args)+1, len(some))+")", all...)
		if err == nil {
			err = each(rows, scan, func(one T) error {
				found = append(found, one)
				return nil
			})
		}
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
