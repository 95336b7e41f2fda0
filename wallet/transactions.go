package wallet

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/internal/tx"
)

// Transactions returns the account's transactions in the journal, newest first. It asks no node.
func (w *Wallet) Transactions(ctx context.Context, account common.Address) ([]*Intent, error) {
	if err := w.requireStore(); err != nil {
		return nil, err
	}
	return w.journal.Intents(ctx, account)
}

// Transaction returns a transaction of the journal. It returns ErrUnknownTransaction.
func (w *Wallet) Transaction(ctx context.Context, hash common.Hash) (*Intent, error) {
	if err := w.requireStore(); err != nil {
		return nil, err
	}
	intent, err := w.journal.Find(ctx, hash)
	return intent, hint.With(err, "pmctl tx list --all shows the transactions of this store on %s", w.Network.Name)
}

// Wait waits until a transaction of the journal, or its replacement, is mined. With withPending it
// also resends the account's earlier transactions that the node has lost. It returns
// ErrUnknownTransaction for a hash that the journal lacks; other errors tell by their class, as those
// of Do.
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

// adopt loads a transaction of the journal and makes this run responsible for reporting it.
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
	if errors.Is(err, tx.ErrChanged) { // another run changed it meanwhile
		if err = w.journal.Reload(ctx, intent); err == nil {
			err = w.journal.Adopt(ctx, intent)
		}
	}
	return &pendingTx{Wallet: w, situation: s, WaitOptions: o, intent: intent, report: reportEvents()}, err
}
