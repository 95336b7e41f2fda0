package cmd

import (
	"context"
	"fmt"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/store"
)

// openJournal is a network's journal with the store that it is in.
type openJournal struct {
	*store.Journal
	store *store.Store
}

// openJournal opens the journal of a network's transactions.
func (r *run) openJournal(ctx context.Context, o *storeOptions, network chain.Network) (*openJournal, error) {
	opened, err := r.openStore(ctx, o)
	if err != nil {
		return nil, err
	}
	return &openJournal{opened.Journal(journalName(network)), opened}, nil
}

// journalName names a network in the journal. Local networks share their chain id; each
// has a controller of its own.
func journalName(network chain.Network) string {
	return fmt.Sprintf("%d/%s", network.ChainID, network.Controller)
}

// close is the last thing that a command does: a process that is killed before has died
// on the way, and the same command again goes on with its transaction.
func (j *openJournal) close() {
	// Whatever was recorded is on disk; a lock that stays is taken for a run that died.
	_ = j.store.Close()
	_ = j.Journal.Close()
}
