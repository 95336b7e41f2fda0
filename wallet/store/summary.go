package store

import (
	"context"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const countOpen = `SELECT COUNT(*) FROM intents WHERE network = $1 AND account = $2 AND state IN ('open', 'refused')`

// Summary is what can be seen of a store without using it.
type Summary struct {
	// CopyReason says why the store's sessions will be retired when it is used next; ""
	// when they will not.
	CopyReason string

	// Restored is why the store may lack records, which was not acknowledged; nil when
	// it lacks none.
	Restored *Restored

	// Open is how many of the account's transactions are not known to be mined.
	Open int
}

// Summarize looks at the store at a location, and at an account in the journal of a network.
// It changes nothing. It fails with ErrNoStore, and as Open does.
func Summarize(ctx context.Context, location, network string, account common.Address, options ...Option) (Summary, error) {
	var g Summary
	err := look(ctx, location, options, func(s *Store, tx *db.Tx, _ int) error {
		found, err := s.examine(ctx, tx)
		if err != nil {
			return err
		}
		g.CopyReason = found.copyReason()
		if g.Restored, err = restored(tx); err != nil {
			return err
		}
		// An older version's store may have no journal.
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
