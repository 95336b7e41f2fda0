package wallet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/store"
)

// existing is opened for a store that must exist: there is nothing to export or move in one that is
// created, and a mistyped location would look like a store without records.
func (c Config) existing(ctx context.Context, do func(*store.Store) error) error {
	if c.Store == "" {
		return ErrNoStore
	}
	if err := store.Exists(ctx, c.Store, store.RememberIn(c.DatabasesDir)); err != nil {
		return withNoStoreHint(err)
	}
	return c.opened(ctx, do)
}

func withNoStoreHint(err error) error {
	if errors.Is(err, store.ErrNoStore) {
		return hint.With(err, "the first command that needs a store creates it")
	}
	return err
}

func (c Config) opened(ctx context.Context, do func(*store.Store) error) error {
	s, err := OpenStore(ctx, c.Store, c.DatabasesDir, c.withDefaults().UI)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}

// CheckStore looks for damage in the store and changes nothing. It returns the errors of
// store.Check.
func CheckStore(ctx context.Context, c Config) (*StoreReport, error) {
	if c.Store == "" {
		return nil, ErrNoStore
	}
	report, err := store.Check(ctx, c.Store, store.RememberIn(c.DatabasesDir))
	return report, withNoStoreHint(err)
}

// ExportStore returns the store's records as a document. It fails with store.ErrNoStore.
func ExportStore(ctx context.Context, c Config) (dump *StoreDump, err error) {
	err = c.existing(ctx, func(s *store.Store) error {
		dump, err = s.Export(ctx)
		return err
	})
	return dump, err
}

// ImportStore adds another store's records to an empty store, and returns its path. It returns the
// errors of store.Store.Import.
func ImportStore(ctx context.Context, c Config, dump *StoreDump) (path string, err error) {
	if dump == nil {
		return "", ErrNoDocument
	}
	err = c.opened(ctx, func(s *store.Store) error {
		path = s.Path()
		return s.Import(ctx, dump)
	})
	return path, err
}

// Migration is where a migrated store is.
type Migration struct {
	Path string `json:"path"`
	// MovedFrom is the old store; "" for one that was only upgraded.
	MovedFrom string `json:"moved_from,omitempty"`
}

// MigrateStore upgrades the store to the newest schema and, unless to is "", moves everything to
// the new store there. It fails with store.ErrNoStore.
func MigrateStore(ctx context.Context, c Config, to string) (m Migration, err error) {
	err = c.existing(ctx, func(s *store.Store) error {
		if m.Path = s.Path(); to == "" {
			return nil
		}
		c.Store = to
		err := c.opened(ctx, func(target *store.Store) error {
			m = Migration{target.Path(), s.Path()}
			return s.Migrate(ctx, target)
		})
		if m.MovedFrom == "" && (errors.Is(err, store.ErrLocation) || errors.As(err, new(*store.DamagedError))) {
			return hint.With(err, "pass another --to; what is there is left as it is")
		}
		return err
	})
	return m, err
}

// Acknowledged is a restored store whose missing records the user has accepted.
type Acknowledged struct {
	Path string `json:"path"`
	ID   string `json:"store_id"`
	// Acknowledged is false if the store was not restored. Then nothing else is set.
	Acknowledged bool `json:"acknowledged"`
	// Cause is the code of what was found at FoundAt, and Reason the same in words.
	Cause   string     `json:"cause,omitempty"`
	Reason  string     `json:"reason,omitempty"`
	FoundAt *time.Time `json:"found_at,omitempty"`
	// NewestAt is the time of the newest record that the store had then; nil if it had none.
	NewestAt *time.Time `json:"newest_at,omitempty"`
	// MayRepeat are the kinds of things that may be done a second time.
	MayRepeat []string `json:"may_repeat"`
}

// AcknowledgeStore shows what the store may lack and asks, unless agreed is set. Then unknown
// request IDs and transactions count as new. It fails with store.ErrNoStore.
func AcknowledgeStore(ctx context.Context, c Config, agreed bool) (a Acknowledged, err error) {
	ui := c.withDefaults().UI
	err = c.existing(ctx, func(s *store.Store) error {
		a = Acknowledged{Path: s.Path(), ID: s.ID(), MayRepeat: []string{}}
		lacks, err := s.Restored(ctx)
		if err != nil || lacks == nil {
			return err
		}
		ui.Note(fmt.Sprintf("the store %s may lack records: %v (detected at %s)", a.Path, lacks.Cause, lacks.At.Format(time.RFC3339)))
		since := "it had no records then; anything done before may be missing:"
		if !lacks.Newest.IsZero() {
			a.NewestAt = &lacks.Newest
			since = fmt.Sprintf("its newest record was from %s; anything done later may be missing:", lacks.Newest.Format(time.RFC3339))
		}
		ui.Note(since)
		ui.Note("- requests: a command with a request ID used since then creates tickets or pays again")
		ui.Note("- transactions: a command that sent one since then sends another one")
		ui.Note("- spending: budgets do not count what was spent since then")
		if !agreed {
			if err := ui.Confirm(ctx, "Treat everything the store has no record of as new?"); err != nil {
				return err
			}
		}
		a.Acknowledged, a.FoundAt, a.MayRepeat = true, &lacks.At, []string{"requests", "transactions", "spending"}
		a.Cause, a.Reason = string(lacks.Cause.Code), lacks.Cause.String()
		return s.Acknowledge(ctx, *lacks)
	})
	return a, err
}
