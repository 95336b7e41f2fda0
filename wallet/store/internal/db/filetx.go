package db

import (
	"context"
	"database/sql"
)

// fileTx is a transaction in a file.
type fileTx struct {
	ctx context.Context
	tx  *sql.Tx
}

// run implements transaction: there is no way to a file that several statements could share.
func (t fileTx) run(statements []Statement, _ bool) error {
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

func (t fileTx) each(s Statement) (count int64, err error) {
	rows, err := t.tx.QueryContext(t.ctx, s.query, s.args...)
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
func (t fileTx) direct() (direct, error) { return t.tx, nil }

// isFile implements transaction.
func (fileTx) isFile() bool { return true }

// commit implements transaction.
func (t fileTx) commit(statements []Statement) error {
	if err := t.run(statements, false); err != nil {
		return err
	}
	return t.tx.Commit()
}

// rollback implements transaction.
func (t fileTx) rollback() { _ = t.tx.Rollback() } // the error that led here says more

func affected(result sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
