package db

import (
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Statement is one of several that run together: in order, and in one round trip to a server.
type Statement struct {
	query string
	args  []any
	// row is called for each row, unless nil; done follows, with the number of rows.
	row  func(Scanner) error
	done func(rows int64) error
}

// Do is a statement without rows.
func Do(query string, args ...any) Statement { return Statement{query: query, args: args} }

// Ask is a query, each of whose scanned rows use gets. A row that cannot be scanned is damage.
func Ask[T any](scan func(Scanner) (T, error), use func(T) error, query string, args ...any) Statement {
	return Statement{query: query, args: args, row: func(row Scanner) error {
		one, err := scan(row)
		if err != nil {
			return damaged(err)
		}
		return use(one)
	}}
}

// Then has check look at the number of rows, changed or found, after the statement.
func (s Statement) Then(check func(rows int64) error) Statement {
	s.done = check
	return s
}

// Later runs statements with the next one, or before the commit: to a server they cost no round
// trip of their own. That one fails with their errors.
func (t *Tx) Later(statements ...Statement) error {
	if t.conn == nil {
		return t.inTurn(statements)
	}
	t.later = append(t.later, statements...)
	return nil
}

// Together runs statements, after those that were left for later.
func (t *Tx) Together(statements ...Statement) error {
	if err := t.Later(statements...); err != nil {
		return err
	}
	return t.flush()
}

// inTurn runs statements one by one: there is no way to a file.
func (t *Tx) inTurn(statements []Statement) error {
	for _, s := range statements {
		var count int64
		var err error
		if s.row == nil {
			count, err = affected(t.tx.ExecContext(t.ctx, s.query, s.args...))
		} else {
			count, err = t.each(s)
		}
		if err == nil && s.done != nil {
			err = s.done(count)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) each(s Statement) (count int64, err error) {
	rows, err := t.tx.QueryContext(t.ctx, s.query, s.args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); count++ {
		if err := s.row(rows); err != nil {
			return count, err
		}
	}
	return count, rows.Err()
}

// flush runs what was left for later.
func (t *Tx) flush() error {
	statements := t.later
	if len(statements) == 0 {
		return nil
	}
	t.later = nil
	// The connection is the transaction's. If ctx ends, the driver ends the connection, or has
	// sent nothing: no statement runs after the transaction.
	return t.conn.Raw(func(driver any) error {
		batch := new(pgx.Batch)
		for _, s := range statements {
			batch.Queue(s.query, s.args...)
		}
		results := driver.(*stdlib.Conn).Conn().SendBatch(t.ctx, batch)
		err := readResults(results, statements)
		if closeErr := results.Close(); err == nil {
			err = closeErr
		}
		return err
	})
}

func readResults(results pgx.BatchResults, statements []Statement) error {
	for _, s := range statements {
		rows, err := results.Query()
		for err == nil && rows.Next() {
			if s.row != nil {
				err = s.row(rows)
			}
		}
		rows.Close()
		if err == nil {
			err = rows.Err()
		}
		if err == nil && s.done != nil {
			err = s.done(rows.CommandTag().RowsAffected())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// query runs a query, after what was left for later.
func (t *Tx) query(query string, args []any) (*sql.Rows, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	return t.tx.QueryContext(t.ctx, query, args...)
}
