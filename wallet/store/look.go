package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// ErrNoStore is returned if there is no store at the location; there is none at "".
var ErrNoStore = errors.New("no store")

// look calls do with the store at a location and its schema version. Unlike Open it creates
// nothing and upgrades nothing. It fails with ErrNoStore, and as Open does.
func look(ctx context.Context, location string, options []Option, do func(s *Store, tx *db.Tx, version int) error) error {
	if err := present(location); err != nil {
		return err
	}
	s, err := connect(location, options)
	if err != nil {
		return err
	}
	defer s.Close()
	err = s.db.Read(ctx, func(tx *db.Tx) (err error) {
		var version int
		if version, s.id, err = inspect(s.db, tx); err != nil {
			return err
		}
		if version == 0 {
			return fmt.Errorf("%w in %s: it is empty", ErrNoStore, s.Path())
		}
		return do(s, tx, version)
	})
	return db.WithPath(s.mark.judge(err), s.Path())
}

// Exists fails with ErrNoStore if there is no store at the location, and as Open does. It changes nothing.
func Exists(ctx context.Context, location string, options ...Option) error {
	return look(ctx, location, options, func(*Store, *db.Tx, int) error { return nil })
}

// present fails with ErrNoStore if connecting would create a file.
func present(location string) error {
	if location == "" {
		return ErrNoStore
	}
	at, err := db.Locate(location)
	if err != nil || !at.IsFile() {
		return err
	}
	if _, err := os.Stat(at.Name); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w at %s", ErrNoStore, location)
	}
	return nil
}
