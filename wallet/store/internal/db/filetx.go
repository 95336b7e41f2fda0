package db

import (
	"cmp"
	"context"
	"database/sql"
)

// fileTx is a transaction in a file. Each query of an *sql.Tx would start a goroutine, which waits for the
// transaction's end.
type fileTx struct {
	ctx  context.Context
	conn *sql.Conn
}

// run implements transaction: there is no way to a file that several statements could share.
func (t fileTx) run(statements []Statement, _ bool) error {
	for _, s := range statements {
		var count int64
		var err error
		if s.row == nil {
			count, err = affected(t.conn.ExecContext(t.ctx, s.query, s.args...))
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

func (t fileTx) each(s Statement) (count int64, err error) {
	rows, err := t.conn.QueryContext(t.ctx, s.query, s.args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		count++
		if err := s.row(rows); err != nil {
			return count, err
		}
		if s.one {
			return count, rows.Close()
		}
	}
	return count, rows.Err()
}

// direct implements transaction.
func (t fileTx) direct() (direct, error) { return t.conn, nil }

// isFile implements transaction.
func (fileTx) isFile() bool { return true }

// commit implements transaction.
func (t fileTx) commit(statements []Statement) error {
	if err := cmp.Or(t.run(statements, false), t.ctx.Err()); err != nil {
		return err
	}
	_, err := t.conn.ExecContext(context.WithoutCancel(t.ctx), `COMMIT`) // an interrupted one may have happened
	if err == nil {
		_ = t.conn.Close() // it is on disk, whatever this says
	}
	return err
}

// rollback implements transaction. After a commit there is no connection any more.
func (t fileTx) rollback() {
	_, _ = t.conn.ExecContext(context.WithoutCancel(t.ctx), `ROLLBACK`) // the error that led here says more
	_ = t.conn.Close()
}

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
