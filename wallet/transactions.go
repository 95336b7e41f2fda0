package wallet

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/internal/tx"
)

// Transactions are those of an account in the journal, the newest first. No node is asked.
func (w *Wallet) Transactions(ctx context.Context, account common.Address) ([]*tx.Intent, error) {
	if err := w.requireStore(); err != nil {
		return nil, err
	}
	return w.journal.Intents(ctx, account)
}

// Transaction is what the journal has of a transaction. It fails with tx.ErrUnknown.
func (w *Wallet) Transaction(ctx context.Context, hash common.Hash) (*tx.Intent, error) {
	if err := w.requireStore(); err != nil {
		return nil, err
	}
	intent, err := w.journal.Find(ctx, hash)
	return intent, hint.With(err, "pmctl tx list --all shows the transactions of this store on %s", w.Network.Name)
}

// Wait waits until a transaction of the journal, or one that replaces it, is mined. With
// withPending it hands over the account's earlier transactions again, too, where the node
// has lost them. It fails as tx.Manager.Await does.
func (w *Wallet) Wait(ctx context.Context, hash common.Hash, withPending bool, o WaitOptions) (Transaction, error) {
	ctx, cancel := w.bound(ctx)
	defer cancel()
	a, err := w.adopt(ctx, hash, o)
	if err != nil {
		return Transaction{}, err
	}
	a.withPending = withPending
	result, err := a.await(ctx)
	return result, a.end(ctx, err)
}

// adopt finds a transaction of the journal, and makes it this run's to report.
func (w *Wallet) adopt(ctx context.Context, hash common.Hash, o WaitOptions) (*pendingTx, error) {
	intent, err := w.Transaction(ctx, hash)
	if err != nil {
		return nil, err
	}
	s, err := w.look(ctx, intent.Account)
	if err != nil {
		return nil, err
	}
	err = w.journal.Adopt(ctx, intent)
	if errors.Is(err, tx.ErrChanged) { // another run has found out more meanwhile
		if err = w.journal.Reload(ctx, intent); err == nil {
			err = w.journal.Adopt(ctx, intent)
		}
	}
	return &pendingTx{Wallet: w, situation: s, WaitOptions: o, intent: intent, report: reportEvents()}, err
}
