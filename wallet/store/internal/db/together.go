package db

import "database/sql"

// Statement is one of several that run together: in order, and in one round trip to a server.
type Statement struct {
	query string
	args  []any
	// row is called for each row, or for the first one alone, unless nil; done follows, with the
	// number of rows.
	row  func(Scanner) error
	one  bool
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

// checks reports whether the statement's rows are looked at.
func (s Statement) checks() bool { return s.row != nil || s.done != nil }

// Later runs statements with the next one, or with the commit: to a server they cost no round
// trip of their own. That one fails with their errors.
func (t *Tx) Later(statements ...Statement) { t.later = append(t.later, statements...) }

// Together runs statements, after those that were left for later.
func (t *Tx) Together(statements ...Statement) error {
	t.Later(statements...)
	return t.flush()
}

// flushed is the transaction's direct, after what was left for later.
func (t *Tx) flushed() (direct, error) {
	if err := t.flush(); err != nil {
		return nil, err
	}
	return t.direct()
}

// flush runs what was left for later.
func (t *Tx) flush() error {
	statements := t.later
	if len(statements) == 0 {
		return nil
	}
	if t.ended {
		return sql.ErrTxDone
	}
	t.later, t.ended = nil, t.once
	return t.run(statements, t.once)
}
