package store

import (
	"context"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const countOpen = `SELECT COUNT(*) FROM intents WHERE network = $1 AND account = $2 AND state IN ('open', 'refused')`

// Summary is what can be read of a store without opening it for use.
type Summary struct {
	// CopyReason says why the next use of the store will retire its sessions; "" if it will not.
	CopyReason string

	// MigratedTo is where the store was migrated to and is used now; "" if it was not.
	MigratedTo string

	// Restored says why the store may lack records, nil if it lacks none or that was acknowledged.
	Restored *Restored

	// Open is how many of the account's transactions are not known to be mined.
	Open int
}

// Summarize reads the store at a location, and an account's transactions in the journal of a
// network. It changes nothing. It fails with ErrNoStore, and as Open does.
func Summarize(ctx context.Context, location, network string, account common.Address, options ...Option) (Summary, error) {
	var g Summary
	err := look(ctx, location, options, func(s *Store, tx *db.Tx, _ int) error {
		found, err := s.examine(ctx, tx)
		if err != nil {
			return err
		}
		g.CopyReason, g.MigratedTo = found.copyReason(), found.movedTo
		if g.Restored, err = restored(tx); err != nil {
			return err
		}
		// A store of an older version may have no journal.
		names, err := s.db.Tables(tx)
		if err != nil || !slices.Contains(names, "intents") {
			return err
		}
		return tx.Row(countOpen, network, account.Hex()).Scan(&g.Open)
	})
	if err != nil {
		return Summary{}, err
	}
	return g, nil
}
