package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// serverTx is a transaction of a server, which may be far away: what begins it is sent with its
// first statements, and what ends it with its last ones.
type serverTx struct {
	postgres
	ctx context.Context

	// begins are the statements that begin it, and conn is its connection once they have run.
	begins []Statement
	conn   *sql.Conn
}

// begin implements backend. Writing transactions take one lock, in the order in which they ask
// for it, and then see everything committed before: code that is right on SQLite, which has one
// writer at a time, is right here. The transactions are a few short statements, so waiting
// costs less than the failures and retries of serializable transactions on the same rows.
//
// Whatever the defaults of server, database and role, a commit returns when it is on disk, and
// a lock does not outlive its machine's connection.
func (p postgres) begin(ctx context.Context, write bool, patience time.Duration) (transaction, error) {
	t := &serverTx{postgres: p, ctx: ctx}
	if !write {
		t.begins = []Statement{
			Do(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`),
			Do(`SET LOCAL search_path = pmctl`),
		}
		return t, nil
	}
	t.begins = []Statement{
		// Each statement must see what was committed while it waited for the lock.
		Do(`BEGIN ISOLATION LEVEL READ COMMITTED`),
		// The lock's own statement comes under these limits, too.
		Do(fmt.Sprintf(`SELECT set_config('search_path', 'pmctl', true), set_config('synchronous_commit', 'on', true),
			set_config('lock_timeout', '%d', true), set_config('statement_timeout', '%d', true),
			set_config('idle_in_transaction_session_timeout', '%d', true)`,
			max(1, patience.Milliseconds()), silence.Milliseconds(), silence.Milliseconds())),
		Do(fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, int64(writeLock))),
	}
	return t, nil
}

// run implements transaction.
func (t *serverTx) run(statements []Statement, last bool) error {
	if last {
		statements = append(slices.Clip(statements), Do(`ROLLBACK`))
	}
	if t.conn != nil {
		_, err := send(t.ctx, t.conn, statements)
		return err
	}
	var failed error
	err := whileLost(t.ctx, func() error {
		conn, err := t.pool.Conn(t.ctx)
		if err != nil {
			return err
		}
		begun := false
		all := slices.Concat(t.begins, statements)
		all[0] = all[0].Then(func(int64) error {
			begun = true
			return nil
		})
		if _, failed = send(t.ctx, conn, all); !begun {
			_ = conn.Close() // failed has the reason
			return failed
		}
		t.conn = conn
		return nil
	})
	if err != nil {
		return err
	}
	return failed
}

// direct implements transaction.
func (t *serverTx) direct() (direct, error) {
	if t.conn == nil {
		if err := t.run(nil, false); err != nil {
			return nil, err
		}
	}
	return t.conn, nil
}

// isFile implements transaction.
func (*serverTx) isFile() bool { return false }

// commit implements transaction. Only an error from a server that keeps the connection proves that
// nothing was committed.
func (t *serverTx) commit(statements []Statement) error {
	if t.conn == nil || slices.ContainsFunc(statements, Statement.checks) {
		// They decide whether there is a commit.
		if err := t.run(statements, false); err != nil {
			return err
		}
		statements = nil
	}
	if t.ctx.Err() != nil {
		return t.ctx.Err() // what is not sent is not uncertain
	}
	tag, err := send(t.ctx, t.conn, append(slices.Clip(statements), Do(`COMMIT`)))
	var refused *pgconn.PgError
	switch {
	case err == nil && tag.String() != "COMMIT":
		return pgx.ErrTxCommitRollback
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.SeverityUnlocalized == "ERROR":
		return err
	}
	return fmt.Errorf("%w: %w", ErrUncertain, explained(t.ctx, t.postgres, err))
}

// rollback implements transaction. A connection that cannot end its transaction is closed, which
// ends that, and the lock with it.
func (t *serverTx) rollback() {
	if t.conn == nil {
		return
	}
	_ = t.conn.Raw(func(of any) error {
		conn := of.(*stdlib.Conn).Conn()
		if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
			return nil
		}
		if _, err := conn.Exec(t.ctx, `ROLLBACK`); err != nil {
			return driver.ErrBadConn
		}
		return nil
	})
	_ = t.conn.Close()
}

// send runs statements in one round trip, and returns what the last one did. If ctx ends, the driver
// ends the connection, or has sent nothing: no statement runs after the transaction.
func send(ctx context.Context, conn *sql.Conn, statements []Statement) (tag pgconn.CommandTag, err error) {
	err = conn.Raw(func(of any) error {
		batch := new(pgx.Batch)
		for _, s := range statements {
			batch.Queue(s.query, s.args...)
		}
		results := of.(*stdlib.Conn).Conn().SendBatch(ctx, batch)
		var err error
		tag, err = readResults(results, statements)
		if closeErr := results.Close(); err == nil {
			err = closeErr
		}
		return err
	})
	return tag, err
}

func readResults(results pgx.BatchResults, statements []Statement) (tag pgconn.CommandTag, err error) {
	for _, s := range statements {
		rows, err := results.Query()
		for err == nil && rows.Next() {
			if s.row != nil {
				err = s.row(rows)
			}
			if s.one {
				break
			}
		}
		rows.Close()
		if err == nil {
			err = rows.Err()
		}
		tag = rows.CommandTag()
		if err == nil && s.done != nil {
			err = s.done(tag.RowsAffected())
		}
		if err != nil {
			return tag, err
		}
	}
	return tag, nil
}

// whileLost repeats what has changed nothing yet while it fails because an idle connection was lost,
// as all are when the server is restarted.
func whileLost(ctx context.Context, try func() error) error {
	err := try()
	for range connections {
		if err == nil || ctx.Err() != nil || !wasLost(err) {
			break
		}
		err = try()
	}
	return err
}
