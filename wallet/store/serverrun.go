package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"sync"
)

// serverRun holds a lock of the server, over a connection of its own: it goes with the
// connection. A run whose server was started again counts as dead, and who repeats its
// command goes on with its transaction; no second one is sent.
type serverRun struct {
	backend postgres
	db      *sql.DB

	mu    sync.Mutex
	token string
	conn  *sql.Conn
}

// newRun implements backend.
func (p postgres) newRun(db *sql.DB) run { return &serverRun{backend: p, db: db} }

func (r *serverRun) begin(ctx context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token != "" {
		return r.token, nil
	}
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return "", r.explain(ctx, err)
	}
	token, held := rand.Text(), false
	err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, runLock(token)).Scan(&held)
	if err == nil && !held {
		err = fmt.Errorf("%w: a run's lock is somebody else's", ErrAccess)
	}
	if err != nil {
		conn.Close()
		return "", r.explain(ctx, err)
	}
	r.token, r.conn = token, conn
	return token, nil
}

func (r *serverRun) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return r.backend.explain(err)
}

// look implements run.
func (r *serverRun) look(ctx context.Context, t *sql.Tx, token string) (fate, error) {
	var free bool
	err := t.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, runLock(token)).Scan(&free)
	if err == nil && !free {
		return alive, nil
	}
	return gone, err
}

// forget implements run: a lock leaves nothing.
func (r *serverRun) forget(string) {}

func (r *serverRun) end() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token == "" {
		return nil
	}
	r.token = ""
	// The connection is not for others to use, since the lock goes with it. One that
	// was lost has no lock any more.
	_ = r.conn.Raw(func(any) error { return driver.ErrBadConn })
	return nil
}

// runLock is the number of a run's lock.
func runLock(token string) int64 {
	sum := sha256.Sum256([]byte("pmctl run " + token))
	return int64(binary.BigEndian.Uint64(sum[:]))
}
