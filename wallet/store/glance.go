package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/ethereum/go-ethereum/common"
)

const countOpen = `SELECT COUNT(*) FROM intents WHERE network = $1 AND account = $2 AND state IN ('open', 'refused')`

// Glimpse is what can be seen of a store without using it.
type Glimpse struct {
	// Strange says why the store's sessions will be retired when it is used next; ""
	// when they will not.
	Strange string

	// Restored is why the store may lack records, which was not acknowledged; nil when
	// it lacks none.
	Restored *Restored

	// Open is how many of the account's transactions are not known to be mined.
	Open int
}

// Glance looks at the store at a location, and at an account in the journal of a network.
// It changes nothing. It fails with ErrNoStore, and as Open does.
func Glance(ctx context.Context, location, network string, account common.Address, options ...Option) (Glimpse, error) {
	if err := present(location); err != nil {
		return Glimpse{}, err
	}
	s, err := connect(location, options)
	if err != nil {
		return Glimpse{}, err
	}
	defer s.Close()
	var g Glimpse
	err = s.read(ctx, func(tx *sql.Tx) (err error) {
		version, _, err := s.inspect(ctx, tx)
		if err == nil && version == 0 {
			err = fmt.Errorf("%w in %s: it is empty", ErrNoStore, s.path)
		}
		if err != nil {
			return err
		}
		found, err := s.examine(ctx, tx)
		if err != nil {
			return err
		}
		if found.cause != nil {
			g.Strange = found.cause.String()
		}
		if g.Restored, err = restored(ctx, tx); err != nil {
			return err
		}
		// An older version's store may have no journal.
		names, err := s.backend.tables(ctx, tx)
		if err != nil || !slices.Contains(names, "intents") {
			return err
		}
		return tx.QueryRowContext(ctx, countOpen, network, account.Hex()).Scan(&g.Open)
	})
	if err != nil {
		return Glimpse{}, withPath(s.mark.judge(err), s.path)
	}
	return g, nil
}

// present fails with ErrNoStore where a file would be made by connecting to it.
func present(location string) error {
	isDatabase, err := classify(location)
	if err != nil || isDatabase {
		return err
	}
	if _, err := os.Stat(location); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w at %s", ErrNoStore, location)
	}
	return nil
}
