package store

import (
	"context"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Open opens the store at a location: a file's path, or the postgres:// URL of a database. If there
// is none it creates one: a file with mode 0600, in a folder with mode 0700 if that is missing too,
// or the schema pmctl in a database. A store of an older version is upgraded, in one transaction.
// It fails with ErrLocation, ErrNotStore, ErrDamaged, ErrAccess, ErrUnreachable, ErrBusy or
// ErrSchema, and has then changed nothing that existed. No error shows a password.
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
		return nil, db.WithPath(s.mark.judge(err), s.db.Name)
	}
	return s, nil
}

func (s *Store) load(ctx context.Context) error {
	var version int
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		version, s.id, err = inspect(s.db, tx)
		return err
	})
	if err == nil {
		err = s.db.Prepare(ctx)
	}
	if err != nil || version == schemaVersion {
		return err
	}
	// There is no store yet, or one of an older version; or another process is creating or
	// upgrading it now.
	return s.db.Write(ctx, func(tx *db.Tx) (err error) {
		s.id, err = upgrade(s.db, tx)
		return err
	})
}

// settle retires a store that was moved, copied or restored.
func (s *Store) settle(ctx context.Context) error {
	var found condition
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = s.examine(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	s.unremembered = found.unremembered
	if found.settled() {
		s.remember(found.markState)
		return nil
	}
	var now markState
	var done *Retirement
	err = s.db.Write(ctx, func(tx *db.Tx) (err error) {
		done = nil
		// Another process may have done it since.
		if found, err = s.examine(ctx, tx); err != nil {
			return err
		}
		if now = found.markState; found.settled() {
			return nil
		}
		if found.cause != nil {
			if done, err = retire(tx, &found); err != nil {
				return err
			}
		}
		now, err = s.writeHome(tx, found)
		return err
	})
	if err != nil {
		return err
	}
	s.retirement = done
	s.remember(now)
	s.mark.tidy()
	return nil
}
