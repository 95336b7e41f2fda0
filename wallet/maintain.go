package wallet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/store"
)

// opened opens the Config's store for one flow.
func (c Config) opened(ctx context.Context, do func(*store.Store) error) error {
	s, err := OpenStore(ctx, c.Store, c.DatabasesDir, c.withDefaults().UI)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}

// CheckStore looks for damage in the store, and changes nothing. It fails as store.Check does.
func CheckStore(ctx context.Context, c Config) (*StoreReport, error) {
	report, err := store.Check(ctx, c.Store, store.RememberIn(c.DatabasesDir))
	if errors.Is(err, store.ErrNoStore) {
		return nil, hint.With(err, "the first command that needs one makes it")
	}
	return report, err
}

// ExportStore returns what was made with the store, as a document.
func ExportStore(ctx context.Context, c Config) (dump *StoreDump, err error) {
	err = c.opened(ctx, func(s *store.Store) error {
		dump, err = s.Export(ctx)
		return err
	})
	return dump, err
}

// ImportStore takes over what another store exported into an empty one, and returns where
// that is. It fails as store.Store.Import does.
func ImportStore(ctx context.Context, c Config, dump *StoreDump) (path string, err error) {
	err = c.opened(ctx, func(s *store.Store) error {
		path = s.Path()
		return s.Import(ctx, dump)
	})
	return path, err
}

// MigrateStore brings the store to the newest schema and, unless to is "", carries all of it
// to a new one there, which continues in its place. It returns where the two are.
func MigrateStore(ctx context.Context, c Config, to string) (from, at string, err error) {
	err = c.opened(ctx, func(s *store.Store) error {
		if from = s.Path(); to == "" {
			return nil
		}
		c.Store = to
		return c.opened(ctx, func(target *store.Store) error {
			at = target.Path()
			return s.Migrate(ctx, target)
		})
	})
	return from, at, err
}

// Acknowledged is a store that may lack records no longer, as far as its user is concerned.
type Acknowledged struct {
	Path, ID string

	// Lacked is what was acknowledged, nil where there was nothing to.
	Lacked *store.Restored
}

// AcknowledgeStore shows what the store may lack, and asks unless that is agreed to; then
// what it does not know counts as new.
func AcknowledgeStore(ctx context.Context, c Config, agreed bool) (a Acknowledged, err error) {
	ui := c.withDefaults().UI
	err = c.opened(ctx, func(s *store.Store) error {
		a = Acknowledged{Path: s.Path(), ID: s.ID()}
		lacks, err := s.Restored(ctx)
		if err != nil || lacks == nil {
			return err
		}
		ui.Note(fmt.Sprintf("the store %s may lack records: %v (found at %s)", a.Path, lacks.Cause, lacks.At.Format(time.RFC3339)))
		since := "it had no record then; what was done before may be missing:"
		if !lacks.Newest.IsZero() {
			since = fmt.Sprintf("its newest record was of %s; what was done later may be missing:", lacks.Newest.Format(time.RFC3339))
		}
		ui.Note(since)
		ui.Note("- requests: a command with a request ID used since then makes tickets or pays again")
		ui.Note("- transactions: a command that sent one since then, with a request ID or without, sends another one")
		ui.Note("- spending: budgets do not count what was spent since then")
		if !agreed {
			if err := ui.Confirm(ctx, "Take what the store does not know for new from now on?"); err != nil {
				return err
			}
		}
		a.Lacked = lacks
		return s.Acknowledge(ctx, *lacks)
	})
	return a, err
}
