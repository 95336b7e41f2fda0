package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Tx is a transaction. Its statements end with the context of its begin.
type Tx struct {
	transaction
	ctx   context.Context
	write bool

	// once is set for a read that ends with its first statements, and ended once it has.
	once, ended bool
	// later is what runs with the next statement.
	later []Statement
}

// transaction is a transaction of either database.
type transaction interface {
	// run runs statements in order. A transaction that only reads may end with the last of them.
	run(statements []Statement, last bool) error

	// direct returns what runs a statement by itself, whatever it is.
	direct() (direct, error)

	// isFile reports whether the database is a file.
	isFile() bool

	// commit runs statements, and ends the transaction. It fails with ErrUncertain if it cannot
	// know whether it was committed.
	commit(statements []Statement) error

	// rollback ends the transaction without a change, unless it has ended.
	rollback()
}

// direct is what both a *sql.Tx and a *sql.Conn do.
type direct interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Scanner is a row of a result.
type Scanner interface{ Scan(into ...any) error }

// Script runs a text of several statements. They have no parameters: a server takes one statement
// with parameters at a time.
func (t *Tx) Script(text string) error {
	direct, err := t.flushed()
	if err == nil {
		_, err = direct.ExecContext(t.ctx, text)
	}
	return err
}

// Exec runs a statement.
func (t *Tx) Exec(query string, args ...any) error {
	_, err := t.Change(query, args...)
	return err
}

// Change runs a statement, and returns how many rows it has changed.
func (t *Tx) Change(query string, args ...any) (rows int64, err error) {
	err = t.Together(Do(query, args...).Then(func(changed int64) error {
		rows = changed
		return nil
	}))
	return rows, err
}

// Row is the first row of a query.
type Row struct {
	tx    *Tx
	query string
	args  []any
}

// Row is a query for its first row. It runs when that is read.
func (t *Tx) Row(query string, args ...any) Row { return Row{t, query, args} }

// Find reads the row, and returns false if there is none. A value that cannot be scanned is damage.
func (r Row) Find(into ...any) (found bool, err error) {
	err = r.tx.Together(Statement{query: r.query, args: r.args, one: true, row: func(row Scanner) error {
		found = true
		if err := row.Scan(into...); err != nil {
			return damaged(err)
		}
		return nil
	}})
	return found && err == nil, err
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
func Each[T any](t *Tx, scan func(Scanner) (T, error), use func(T) error, query string, args ...any) error {
	return t.Together(Ask(scan, use, query, args...))
}

// List returns the scanned rows of a query.
func List[T any](t *Tx, scan func(Scanner) (T, error), query string, args ...any) (found []T, err error) {
	err = Each(t, scan, func(one T) error {
		found = append(found, one)
		return nil
	}, query, args...)
	return found, err
}

// One scans a row of one column.
func One[T any](row Scanner) (one T, err error) {
	err = row.Scan(&one)
	return one, err
}

// Fields scans a row into the fields of a T that columns points at.
func Fields[T any](columns func(*T) []any) func(Scanner) (T, error) {
	return func(row Scanner) (one T, err error) {
		err = row.Scan(columns(&one)...)
		return one, err
	}
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

// Into are the statements that run one on several rows at once: before ends with VALUES, and
// after may say what happens on a conflict. A file gets one for each row: SQLite takes longer to
// read a statement for many rows.
func (t *Tx) Into(before string, rows [][]any, after string) (statements []Statement) {
	if len(rows) == 0 {
		return nil
	}
	together := maxParameters / len(rows[0])
	if t.isFile() {
		together = 1
	}
	width, count := len(rows[0]), 0
	var text string
	for some := range slices.Chunk(rows, together) {
		if len(some) != count {
			count = len(some)
			text = before + placesOfRows(count, width) + after
		}
		statements = append(statements, Do(text, slices.Concat(some...)...))
	}
	return statements
}

// placesOfRows writes the places of the parameters of rows: "($1, $2), ($3, $4)".
func placesOfRows(rows, width int) string {
	text := make([]string, rows)
	for i := range text {
		text[i] = "(" + places(i*width+1, width) + ")"
	}
	return strings.Join(text, ", ")
}

// in is the condition that a column has one of values, which are the parameter of this number:
// one array, so that the query is the same for any number of them. SQLite takes half as long for one
// value without an array.
func (t *Tx) in(number int, values []string) (condition string, parameter any) {
	if !t.isFile() {
		return fmt.Sprintf(" = ANY($%d)", number), values
	}
	if len(values) == 1 {
		return fmt.Sprintf(" = $%d", number), values[0]
	}
	text, _ := json.Marshal(values) // strings are always encoded
	return fmt.Sprintf(" IN (SELECT value FROM json_each($%d))", number), string(text)
}

// AskIn is Ask for a query that ends with the column that must have one of values. args come
// before.
func AskIn[T any](t *Tx, scan func(Scanner) (T, error), use func(T) error, query string, args []any, values []string) Statement {
	condition, parameter := t.in(len(args)+1, values)
	return Ask(scan, use, query+condition, append(slices.Clone(args), parameter)...)
}

// Copied calls use with the columns and the values of each row of a query.
func (t *Tx) Copied(query string, use func(columns []string, row []any) error) error {
	direct, err := t.flushed()
	if err != nil {
		return err
	}
	rows, err := direct.QueryContext(t.ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		row, fields := make([]any, len(columns)), make([]any, len(columns))
		for i := range columns {
			fields[i] = &row[i]
		}
		if err := rows.Scan(fields...); err != nil {
			return damaged(err)
		}
		if err := use(columns, row); err != nil {
			return err
		}
	}
	return rows.Err()
}
