package db

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/pmctl/pmctl/internal/hint"
)

// serverRun holds a lock of the server, over a connection of its own: the lock ends with the
// run or the connection. After a restart of the server the run counts as dead, and repeating
// its command resumes its transaction; no second one is sent.
type serverRun struct {
	postgres

	mu    sync.Mutex
	token string
	conn  *sql.Conn
}

// endPatience is how long End waits for the server. The lock ends with the connection in any
// case, a little later.
const endPatience = 5 * time.Second

// runSettings keep a run's connection for as long as the run takes, however idle it is. They make a
// server close the connection of a machine that lost its power or network within half a minute. The
// default is two hours, in which the run would count as alive. A server without such a setting keeps
// its default.
const runSettings = `SELECT set_config(name, value, false) FROM pg_catalog.pg_settings JOIN (VALUES
	('idle_session_timeout', '0'), ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'),
	('tcp_keepalives_count', '4'), ('tcp_user_timeout', '30000')) AS run (name, value) USING (name)`

// NewRun implements backend.
func (p postgres) NewRun() Run { return &serverRun{postgres: p} }

// KeepsSessions implements backend: Begin checks it.
func (p postgres) KeepsSessions(ctx context.Context) error {
	r := p.NewRun()
	if _, err := r.Begin(ctx); err != nil {
		return err
	}
	return r.End()
}

func (r *serverRun) Begin(ctx context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token != "" {
		return r.token, nil
	}
	if err := whileLost(ctx, func() error { return r.lock(ctx) }); err != nil {
		return "", explained(ctx, r.postgres, err)
	}
	return r.token, nil
}

// lock takes the lock of a new token.
func (r *serverRun) lock(ctx context.Context) error {
	conn, err := r.pool.Conn(ctx)
	if err != nil {
		return err
	}
	token, held := rand.Text(), false
	_, err = send(ctx, conn, []Statement{Do(runSettings), Ask(One[bool], func(got bool) error {
		held = got
		return nil
	}, `SELECT pg_try_advisory_lock($1)`, runLock(token))})
	if err == nil && !held {
		err = fmt.Errorf("%w: another session has the lock of this run", ErrAccess)
	}
	if err == nil {
		err = r.checkSession(ctx, token)
	}
	if err != nil {
		conn.Close()
		return err
	}
	r.token, r.conn = token, conn
	return nil
}

// checkSession fails with ErrAccess if the session with this run's lock is shared with other
// connections between transactions, as by pgbouncer with pool_mode = transaction: the lock, by which
// others see that a transaction's run is alive, proves nothing then. A pooler gives a new
// transaction the session that was used last.
func (r *serverRun) checkSession(ctx context.Context, token string) error {
	other, err := r.begin(ctx, false, 0)
	if err != nil {
		return err
	}
	defer other.rollback()
	became, err := r.State(&Tx{transaction: other, ctx: ctx, once: true}, token)
	if err == nil && became != Alive {
		err = hint.With(fmt.Errorf("%w: a connection pooler between here and %s gives one session to several clients (pgbouncer's pool_mode = transaction)", ErrAccess, r.name),
			"set pool_mode = session for this database in the pooler, or connect to PostgreSQL itself")
	}
	return err
}

// Lose releases the lock as a crash does, for tests.
func (r *serverRun) Lose() error {
	_, err := r.conn.ExecContext(context.Background(), `SELECT pg_advisory_unlock_all()`)
	return err
}

// State implements Run. It takes the lock shared, so that two processes that look at the same
// time do not take each other for the run.
func (r *serverRun) State(tx *Tx, token string) (RunState, error) {
	var free bool
	err := tx.Row(`SELECT pg_try_advisory_xact_lock_shared($1)`, runLock(token)).Scan(&free)
	if err == nil && !free {
		return Alive, nil
	}
	return Gone, err
}

// Forget implements Run: a lock leaves nothing.
func (r *serverRun) Forget(string) {}

func (r *serverRun) End() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token == "" {
		return nil
	}
	// A server may be slow to notice that a connection was closed. The run ends now.
	ctx, cancel := context.WithTimeout(context.Background(), endPatience)
	defer cancel()
	_, _ = r.conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, runLock(r.token))
	r.token = ""
	// If that failed, the lock ends with the connection, which no other transaction may use:
	// its settings are the run's.
	_ = r.conn.Raw(func(any) error { return driver.ErrBadConn })
	return nil
}

// runLock is the number of a run's lock.
func runLock(token string) int64 {
	sum := sha256.Sum256([]byte("pmctl run " + token))
	return int64(binary.BigEndian.Uint64(sum[:]))
}
