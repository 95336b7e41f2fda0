// Package db is the database of a store: an SQLite file, or the schema pmctl of a PostgreSQL
// database. It runs transactions in either, whatever they do.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// DB is an open database.
type DB struct {
	Location
	backend
	// Pool has the connections.
	Pool *sql.DB
	// Patience is how long one call waits for the lock.
	Patience time.Duration
}

// backend is the difference between the two database systems.
type backend interface {
	// begin starts a transaction, with its first statement at the latest. A writing one has the
	// only write lock then, and waits for it no longer than patience.
	begin(ctx context.Context, write bool, patience time.Duration) (transaction, error)

	// prepare is one attempt of Prepare.
	prepare(ctx context.Context) error

	// isBusy reports whether a transaction failed because of concurrent ones: it has changed
	// nothing, and may succeed when it is retried.
	isBusy(err error) bool

	// explain wraps an error of the driver in one of this package.
	explain(err error) error

	// Tables returns the names of the tables in the file or schema.
	Tables(tx *Tx) ([]string, error)

	// Create creates the schema for a new store's tables.
	Create(tx *Tx) error

	// Place returns where the database is, and runs statements on the way.
	Place(tx *Tx, with ...Statement) (Place, error)

	// Written returns when a file without its log was written, in nanoseconds since 1970, and
	// logged reports whether the log has anything; known is false for a server, and for a file
	// that cannot be read now.
	Written() (at int64, logged, known bool)

	// Unlogged returns the text that a query finds in a file without its log; known is as of
	// Written.
	Unlogged(ctx context.Context, query string, args ...any) (text string, known bool)

	// Problems returns the damage to the database's pages, as sentences.
	Problems(tx *Tx) ([]string, error)

	// NewRun returns a run that has not begun.
	NewRun() Run

	// KeepsSessions fails with ErrAccess if sessions are shared with other clients.
	KeepsSessions(ctx context.Context) error
}

// Place identifies where a database is, so that a replacement is detected.
type Place struct {
	// Machine identifies the machine, without showing its ID, or the server.
	Machine string `json:"machine"`

	// Path is the file's, without symbolic links, or the database's number.
	Path string `json:"path"`

	// File distinguishes the file from a copy under the same name, and a server from its
	// restored backup or promoted standby.
	File string `json:"file"`

	// Tables distinguishes a database's tables from those of a restored dump; "" is unknown.
	Tables string `json:"tables,omitempty"`
}

// Open opens the database at the location; a file must exist. It does not connect to a server yet.
func (l Location) Open() (*DB, error) {
	if l.IsFile() {
		return openFile(l)
	}
	return openPostgres(l, silence), nil
}

// Close closes the database.
func (d *DB) Close() error { return d.Pool.Close() }

// Prepare ensures that commits will be durable. Call it once it is known that the database is
// not another program's.
func (d *DB) Prepare(ctx context.Context) error {
	return d.whileBusy(ctx, func() error { return d.prepare(ctx) })
}

// Read runs do in a transaction that sees one state of the database.
func (d *DB) Read(ctx context.Context, do func(*Tx) error) error { return d.run(Tx{ctx: ctx}, do) }

// ReadOnce is Read for a do that asks once, for one thing or for several Together: a server is asked
// in one round trip.
func (d *DB) ReadOnce(ctx context.Context, do func(*Tx) error) error {
	return d.run(Tx{ctx: ctx, once: true}, do)
}

// Write runs do in a transaction that has the write lock from its first statement on, and returns
// once it is on disk. do may run more than once, and must then do the same.
func (d *DB) Write(ctx context.Context, do func(*Tx) error) error {
	return d.run(Tx{ctx: ctx, write: true}, do)
}

func (d *DB) run(kind Tx, do func(*Tx) error) error {
	return d.whileBusy(kind.ctx, func() error {
		t := kind
		var err error
		if t.transaction, err = d.begin(t.ctx, t.write, d.Patience); err != nil {
			return err
		}
		defer t.rollback() // do may panic: the lock would stay
		if err := do(&t); err != nil {
			return err
		}
		if !t.write {
			return t.flush() // a read is whole: how its transaction ends changes nothing
		}
		return t.commit(t.later)
	})
}

// pause is the wait after a database reported at once that it is busy.
const pause = 5 * time.Millisecond

// whileBusy retries f while it fails because of concurrent transactions, until ctx or patience
// ends, and explains its error.
func (d *DB) whileBusy(ctx context.Context, f func() error) error {
	deadline := time.Now().Add(d.Patience)
	for {
		err := f()
		if d.isBusy(err) && time.Now().After(deadline) {
			err = fmt.Errorf("%w: %w", ErrBusy, err)
		} else if d.isBusy(err) {
			select {
			case <-ctx.Done():
			case <-time.After(pause):
				continue
			}
		}
		return d.Explain(ctx, err)
	}
}

// Explain wraps an error of the database in one of this package, or returns ctx's if that is why it
// failed with nothing committed.
func (d *DB) Explain(ctx context.Context, err error) error {
	return WithPath(explained(ctx, d.backend, err), d.Name)
}

func explained(ctx context.Context, b backend, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrUncertain) {
		return context.Cause(ctx)
	}
	return b.explain(err)
}
