package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Store is an open store. Its methods may be called from any goroutine.
type Store struct {
	path string
	id   string
	db   *sql.DB

	// mark tells whether the file was put back to an older state.
	mark *mark

	// retirement is what was done when that was found out; nil mostly.
	retirement *Retirement

	// patience is how long one call waits for the lock.
	patience time.Duration
}

// Open opens the store at path. When there is none it makes one: a file with mode
// 0600, in a folder with mode 0700 if the folder is missing too. A store of an older
// version is brought up to date, in one transaction. It fails with ErrNotStore,
// ErrDamaged, ErrAccess, ErrBusy or *SchemaError, and then has changed nothing that
// was there.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	mark := markOf(path)
	err = mark.checkEmpty(path)
	if err == nil {
		err = createFile(path)
	}
	if err != nil {
		mark.close()
		return nil, withPath(mark.judge(err), path)
	}
	db, err := openSQLite(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	s := &Store{path: path, db: db, mark: mark, patience: lockPatience}
	err = s.load(ctx)
	if err == nil {
		err = s.settle(ctx)
	}
	if err != nil {
		s.Close()
		return nil, withPath(mark.judge(err), path)
	}
	return s, nil
}

// load finds out whether the file is a store, or makes it one.
func (s *Store) load(ctx context.Context) error {
	var version int
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		version, s.id, err = inspect(ctx, tx, s.path)
		return err
	})
	if err != nil {
		return err
	}
	if err := whileBusy(ctx, s.patience, func() error { return useWAL(ctx, s.db) }); err != nil {
		return s.explain(ctx, err)
	}
	if version == schemaVersion() {
		return nil
	}
	// The file is empty or of an older version, or another process is making it what
	// it should be at this moment.
	return s.tx(ctx, nil, func(tx *sql.Tx) (err error) {
		s.id, err = upgrade(ctx, tx, s.path)
		return err
	})
}

// ID returns the random name that the store was given when it was made. Params
// carry the id of the store that fetched them, since only that store knows which of
// their nonces are taken.
func (s *Store) ID() string { return s.id }

// Path returns the absolute path of the store's file.
func (s *Store) Path() string { return s.path }

// Close closes the store. Whatever a method has returned is on disk already.
func (s *Store) Close() error {
	if s.mark != nil {
		s.mark.close()
	}
	return s.db.Close()
}

// read runs do in a transaction that sees one state of the store.
func (s *Store) read(ctx context.Context, do func(*sql.Tx) error) error {
	return s.tx(ctx, &sql.TxOptions{ReadOnly: true}, do)
}

// write runs do in a transaction that holds the store's write lock from its start,
// and returns once it is on disk. do may be called again and must then do the same.
func (s *Store) write(ctx context.Context, do func(*sql.Tx) error) error {
	var generation int64
	err := s.tx(ctx, nil, func(tx *sql.Tx) (err error) {
		if generation, err = s.advance(ctx, tx); err != nil {
			return err
		}
		if err := checkMoved(ctx, tx); err != nil {
			return err
		}
		return do(tx)
	})
	if err == nil && s.mark != nil {
		// The change is made. A mark that could not be written stays behind, and is
		// written with the next change.
		_ = s.mark.advance(generation)
	}
	return err
}

func (s *Store) tx(ctx context.Context, options *sql.TxOptions, do func(*sql.Tx) error) error {
	err := whileBusy(ctx, s.patience, func() error {
		tx, err := s.db.BeginTx(ctx, options)
		if err != nil {
			return err
		}
		if err := do(tx); err != nil {
			_ = tx.Rollback() // err says more
			return err
		}
		return tx.Commit()
	})
	return s.explain(ctx, err)
}

// explain puts an error of the database under one of this package's own, and under
// ctx's when that is why it failed.
func (s *Store) explain(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return withPath(explain(err, s.path), s.path)
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
