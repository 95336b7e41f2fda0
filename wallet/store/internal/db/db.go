// Package db is what a store is kept in: an SQLite file, or the schema pmctl of a PostgreSQL
// database. It runs transactions in either, and knows nothing of what they are about.
package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// DB is a database in use.
type DB struct {
	Location
	backend

	// Pool is the connections to it.
	Pool *sql.DB

	// Patience is how long one call waits for the lock.
	Patience time.Duration
}

// backend is what one database system knows and another does not.
type backend interface {
	// begin starts a transaction. One that is to write holds the only write lock when it
	// has begun, which it waits for no longer than patience.
	begin(ctx context.Context, write bool, patience time.Duration) (*sql.Tx, error)

	// commit ends a transaction. It fails with ErrUncertain when it cannot know
	// whether what was written is there.
	commit(tx *sql.Tx) error

	// prepare is Prepare in one attempt.
	prepare(ctx context.Context) error

	// isBusy tells whether a transaction failed for others that were at work at the
	// same time: it has changed nothing, and may succeed when it is tried again.
	isBusy(err error) bool

	// explain puts an error of the driver under one of this package's own.
	explain(err error) error

	// Tables returns the names of the tables where a store would have its own.
	Tables(tx *Tx) ([]string, error)

	// Create makes the place for the tables of a new store.
	Create(tx *Tx) error

	// Place returns where the database is.
	Place(tx *Tx) (Place, error)

	// Unlogged is the text that a query finds in a file without its log, and logged tells
	// whether there was anything in the log when it was looked at; known is false where
	// there is no such thing, or while it cannot be read.
	Unlogged(ctx context.Context, query string, args ...any) (text string, logged, known bool)

	// Problems returns what is wrong with the pages of the database, for people.
	Problems(tx *Tx) ([]string, error)

	// NewRun returns a run that has not begun.
	NewRun() Run

	// KeepsSessions fails with *PoolerError where a session is not this client's alone.
	KeepsSessions(ctx context.Context) error
}

// Place tells where a database is, so that another one in its stead is noticed.
type Place struct {
	// Machine names the machine, without telling its id, or the server.
	Machine string `json:"machine"`

	// Path is the file's, without symbolic links, or the database's number.
	Path string `json:"path"`

	// File tells the file from a copy of it under the same name, and a server from what
	// it becomes when it is restored or a standby takes its place.
	File string `json:"file"`

	// Tables tells a database's tables from those of a restored dump; "" is not known.
	Tables string `json:"tables,omitempty"`
}

// Open opens what is at the location; a file must be there. Of a database nothing is
// dialled yet.
func (l Location) Open() (*DB, error) {
	if l.IsFile() {
		return openFile(l)
	}
	return openPostgres(l, silence), nil
}

// Close ends the use of the database.
func (d *DB) Close() error { return d.Pool.Close() }

// Prepare makes sure that what is committed will be durable. It is called once it is known
// that nothing of another program is there.
func (d *DB) Prepare(ctx context.Context) error {
	return d.whileBusy(ctx, func() error { return d.prepare(ctx) })
}

// Read runs do in a transaction that sees one state of the database.
func (d *DB) Read(ctx context.Context, do func(*Tx) error) error { return d.run(ctx, false, do) }

// Write runs do in a transaction that holds the write lock from its start, and returns once
// it is on disk. do may be called again and must then do the same.
func (d *DB) Write(ctx context.Context, do func(*Tx) error) error { return d.run(ctx, true, do) }

func (d *DB) run(ctx context.Context, write bool, do func(*Tx) error) error {
	return d.whileBusy(ctx, func() error {
		tx, err := d.begin(ctx, write, d.Patience)
		if err != nil {
			return err
		}
		if err := do(&Tx{ctx: ctx, tx: tx}); err != nil {
			_ = tx.Rollback() // err says more
			return err
		}
		return d.commit(tx)
	})
}

// pause is the wait where a database says at once that it is busy.
const pause = 5 * time.Millisecond

// whileBusy calls f until it does not fail for others at work, ctx ends, or patience
// does, and explains its error.
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

// Explain puts an error of the database under one of this package's own, and under
// ctx's when that is why it failed.
func (d *DB) Explain(ctx context.Context, err error) error {
	return WithPath(explained(ctx, d.backend, err), d.Name)
}

func explained(ctx context.Context, b backend, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return b.explain(err)
}
