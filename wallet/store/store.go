package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Store is an open store. Its methods may be called from any goroutine.
type Store struct {
	path    string
	db      *sql.DB
	backend backend

	// mark remembers how far the store had come, and writer names this Store among those
	// who change it.
	mark   *mark
	writer string

	// retirement is what was done when the store was found restored; nil mostly.
	retirement *Retirement

	unremembered bool

	mu sync.Mutex
	id string

	// patience is how long one call waits for the lock.
	patience time.Duration
}

// Option sets how a store is opened.
type Option func(*settings)

type settings struct{ memory string }

// RememberIn names the folder in which this machine remembers how far each database had
// come, so that one that was restored is noticed. Without it that lasts as long as the
// Store. A store in a file is remembered beside the file.
func RememberIn(folder string) Option { return func(s *settings) { s.memory = folder } }

// Open opens the store at a location, which is a file's path or the postgres:// URL
// of a database. When there is none it makes one: a file with mode 0600, in a folder
// with mode 0700 if the folder is missing too; or, in a database, the schema pmctl,
// which other programs' tables are no part of. A store of an older version is brought
// up to date, in one transaction. It fails with ErrLocation, ErrNotStore, ErrDamaged,
// ErrAccess, ErrUnreachable, ErrBusy or *SchemaError, and then has changed nothing
// that was there. No error shows a password.
func Open(ctx context.Context, location string, options ...Option) (*Store, error) {
	s, err := connect(location, options)
	if err != nil {
		return nil, err
	}
	err = s.load(ctx)
	if err == nil {
		err = s.settle(ctx)
	}
	if err != nil {
		s.Close()
		return nil, withPath(s.mark.judge(err), s.path)
	}
	return s, nil
}

// load finds out whether a store is there, or makes one.
func (s *Store) load(ctx context.Context) error {
	var version int
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		version, s.id, err = s.inspect(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	if err := whileBusy(ctx, s.patience, s.backend.isBusy, func() error { return s.backend.prepare(ctx, s.db) }); err != nil {
		return s.explain(ctx, err)
	}
	if version == schemaVersion() {
		return nil
	}
	// There is nothing yet or a store of an older version, or another process is making
	// it what it should be at this moment.
	return s.tx(ctx, true, func(tx *sql.Tx) (err error) {
		s.id, err = s.upgrade(ctx, tx)
		return err
	})
}

// ID returns the random name that the store was given when it was made, or when it was
// retired last. Params carry the id of the store that fetched them, since only that store
// knows which of their nonces are taken.
func (s *Store) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

// Refresh reads the id again, which another process changes when it retires the store.
func (s *Store) Refresh(ctx context.Context) (id string, err error) {
	err = s.read(ctx, func(tx *sql.Tx) (err error) {
		id, err = meta(ctx, tx, metaID)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the store's id: %w", err)
	}
	s.setID(id)
	return id, nil
}

func (s *Store) setID(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = id
}

// Path returns where the store is: the absolute path of its file, or the URL of its
// database, which has no password.
func (s *Store) Path() string { return s.path }

// Close closes the store. Whatever a method has returned is on disk already.
func (s *Store) Close() error {
	err := s.db.Close()
	if s.mark != nil {
		if newest := s.mark.newestSeen(); newest.generation > 0 {
			s.saw(newest) // the last to close a file has emptied its log into it
		}
	}
	return err
}

// saw remembers a state of the store that is committed. What could not be written down
// stays behind, and is written with the next change.
func (s *Store) saw(now sighting) {
	s.setID(now.id)
	if s.mark == nil {
		return
	}
	if flushed, _, known := s.backend.flushed(context.Background()); known {
		now.flushed = max(now.flushed, flushed)
	}
	_ = s.mark.keep(now)
}

// read runs do in a transaction that sees one state of the store.
func (s *Store) read(ctx context.Context, do func(*sql.Tx) error) error {
	return s.tx(ctx, false, do)
}

// write runs do in a transaction that holds the store's write lock from its start,
// and returns once it is on disk. do may be called again and must then do the same. Where
// the store turns out to be restored or replaced, it fails with *RestoredError.
func (s *Store) write(ctx context.Context, do func(*sql.Tx) error) error {
	var found condition
	var now sighting
	err := s.tx(ctx, true, func(tx *sql.Tx) (err error) {
		if found, err = s.examine(ctx, tx); err != nil {
			return err
		}
		switch {
		case found.movedTo != "":
			return &MovedError{To: found.movedTo}
		case found.cause != nil:
			return s.retireInUse(ctx, tx, &found, &now)
		}
		if found.id != s.ID() {
			return s.followRetired(ctx, tx, found)
		}
		if now, err = s.count(ctx, tx, found); err != nil {
			return err
		}
		return do(tx)
	})
	if err != nil {
		return err
	}
	s.saw(now)
	if found.cause != nil {
		return &RestoredError{Path: s.path, Cause: *found.cause}
	}
	return nil
}

func (s *Store) tx(ctx context.Context, write bool, do func(*sql.Tx) error) error {
	err := whileBusy(ctx, s.patience, s.backend.isBusy, func() error {
		tx, err := s.backend.begin(ctx, s.db, write, s.patience)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			_ = tx.Rollback() // err says more
			return err
		}
		return s.backend.commit(tx)
	})
	return s.explain(ctx, err)
}

// explain puts an error of the database under one of this package's own, and under
// ctx's when that is why it failed.
func (s *Store) explain(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return withPath(s.backend.explain(err), s.path)
}

// scanRow is row.Scan, and fails with ErrDamaged for a value that was not written by us.
func scanRow(row *sql.Row, into ...any) error {
	err := row.Scan(into...)
	if err == nil || errors.Is(err, sql.ErrNoRows) || row.Err() != nil || primaryCode(err) != 0 {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}
