package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// backend is what one database system knows and another does not. The SQL that both
// understand is in schema.go.
type backend interface {
	// begin starts a transaction. One that is to write holds the store's only write
	// lock when it has begun, which it waits for no longer than patience.
	begin(ctx context.Context, db *sql.DB, write bool, patience time.Duration) (*sql.Tx, error)

	// commit ends a transaction. It fails with ErrUncertain when it cannot know
	// whether what was written is there.
	commit(tx *sql.Tx) error

	// tables returns the names of the tables where a store would have its own.
	tables(ctx context.Context, tx *sql.Tx) ([]string, error)

	// create makes the place for the tables of a new store.
	create(ctx context.Context, tx *sql.Tx) error

	// prepare makes sure that what is committed will be durable. It is called once
	// it is known that nothing of another program is there.
	prepare(ctx context.Context, db *sql.DB) error

	// home returns where the store lives.
	home(ctx context.Context, tx *sql.Tx) (home, error)

	// replaced is what it means that only File is another.
	replaced() CauseCode

	// flushed is the generation that a store's file has without its log, and logged
	// tells whether there was anything in the log when it was looked at; known is false
	// where there is no such thing, or while it cannot be read.
	flushed(ctx context.Context) (generation int64, logged, known bool)

	// problems returns what is wrong with the pages of the store, for people.
	problems(ctx context.Context, tx *sql.Tx) ([]string, error)

	// newRun returns a run that has not begun.
	newRun(db *sql.DB) run

	// keepsSessions fails with *PoolerError where a session is not this client's alone.
	keepsSessions(ctx context.Context, db *sql.DB) error

	// isBusy tells whether a transaction failed for others that were at work at the
	// same time: it has changed nothing, and may succeed when it is tried again.
	isBusy(err error) bool

	// explain puts an error of the driver under one of this package's own.
	explain(err error) error
}

// connect prepares to use the store at a location, without looking what is there.
func connect(location string, options []Option) (*Store, error) {
	var set settings
	for _, option := range options {
		option(&set)
	}
	isDatabase, err := classify(location)
	switch {
	case err != nil:
		return nil, err
	case isDatabase:
		return connectPostgres(location, set.memory)
	}
	return connectFile(location)
}

// pause is the wait where a database says at once that it is busy.
const pause = 5 * time.Millisecond

// whileBusy calls f until it does not fail for others at work, ctx ends, or patience
// does.
func whileBusy(ctx context.Context, patience time.Duration, isBusy func(error) bool, f func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := f()
		if !isBusy(err) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: %w", ErrBusy, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}
