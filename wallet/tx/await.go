package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

const (
	firstPoll = 100 * time.Millisecond
	lastPoll  = 2 * time.Second

	// looksBetween is how many looks in vain there are between two that ask whether the
	// transaction is still on its way.
	looksBetween = 5
	// lostAfter is how many of these must find the nonce taken by a stranger: a node may
	// know of a block for a moment before it knows the receipts in it.
	lostAfter = 3
)

// Await waits until one of an intent's transactions is in a block that has
// confirmations-1 more on top, and records what became of the intent. While it waits it
// sends again what the nodes have lost. Another run may have settled the intent before;
// what the chain says now counts.
//
// It returns the receipt of the transaction that was mined. It fails with *FailedError
// when that reverted, *CancelledError when it was sent to cancel the call, *LostError
// when none can be mined any more, and *NotMinedError when ctx ends first.
func Await(ctx context.Context, node Backend, journal Journal, intent *Intent, confirmations uint64) (*types.Receipt, error) {
	w := waiting{node: node, journal: journal, intent: intent, confirmations: confirmations}
	for wait := firstPoll; ; wait = min(wait*3/2, lastPoll) {
		receipt, err := w.look(ctx)
		switch {
		case receipt != nil:
			return receipt, settle(ctx, node, journal, intent, receipt)
		case errors.Is(err, errLost):
			if err := journal.Settle(ctx, intent, Lost, common.Hash{}); err != nil {
				return nil, err
			}
			return nil, &LostError{Hash: intent.Newest().Hash(), Nonce: intent.Nonce}
		case err != nil:
			// A node that is away for a moment does not undo what was sent.
			w.last = err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, w.ended(ctx)
		}
	}
}

// waiting is what Await has seen.
type waiting struct {
	node          Backend
	journal       Journal
	intent        *Intent
	confirmations uint64

	looks, strange int
	// in is the block that has the transaction, as long as too few are on top of it.
	in   *big.Int
	last error
}

var errLost = errors.New("another transaction has the nonce")

// look returns the receipt of a transaction that is deep enough in the chain, nil when
// there is none yet, or errLost.
func (w *waiting) look(ctx context.Context) (*types.Receipt, error) {
	receipt, err := w.mined(ctx)
	if err != nil {
		return nil, err
	}
	w.in = nil
	if receipt != nil {
		w.strange, w.in = 0, receipt.BlockNumber
		return w.deep(ctx, receipt)
	}
	w.looks++
	if w.looks%looksBetween != 0 {
		return nil, nil
	}
	used, err := w.node.NonceAt(ctx, w.intent.Account)
	if err != nil {
		return nil, err
	}
	if used > w.intent.Nonce {
		if w.strange++; w.strange >= lostAfter {
			return nil, errLost
		}
		return nil, nil
	}
	w.strange = 0
	// Nodes forget what waits in their pools, and blocks that are replaced do not
	// always give their transactions back.
	return nil, w.sendAgain(ctx, used)
}

// mined returns the receipt of the attempt that is in a block, nil when none is.
func (w *waiting) mined(ctx context.Context) (*types.Receipt, error) {
	for i := len(w.intent.Attempts) - 1; i >= 0; i-- {
		receipt, err := w.node.TransactionReceipt(ctx, w.intent.Attempts[i].Tx.Hash())
		if err == nil {
			return receipt, nil
		}
		if !errors.Is(err, ethereum.NotFound) {
			return nil, err
		}
	}
	return nil, nil
}

// deep returns the receipt when enough blocks are on top of its own.
func (w *waiting) deep(ctx context.Context, receipt *types.Receipt) (*types.Receipt, error) {
	if w.confirmations <= 1 {
		return receipt, nil
	}
	head, err := w.node.Head(ctx)
	if err != nil {
		return nil, err
	}
	if head.Number+1 < receipt.BlockNumber.Uint64()+w.confirmations {
		return nil, nil
	}
	// The head may be a newer chain's than the receipt.
	again, err := w.node.TransactionReceipt(ctx, receipt.TxHash)
	if err != nil || again.BlockHash != receipt.BlockHash {
		return nil, err
	}
	return receipt, nil
}

// sendAgain hands over what the node does not know any more: the intent's transaction,
// and those of the account that must be mined before it.
func (w *waiting) sendAgain(ctx context.Context, used uint64) error {
	before, err := w.journal.Between(ctx, w.intent.Account, used, w.intent.Nonce)
	if err != nil {
		return err
	}
	for _, intent := range append(before, w.intent) {
		newest := intent.Newest()
		known, err := w.node.KnowsTransaction(ctx, newest.Hash())
		if err != nil {
			return err
		}
		if known {
			continue
		}
		if err := w.node.SendTransaction(ctx, newest); err != nil {
			return err
		}
	}
	return nil
}

// ended is the error for a wait that was over too early.
func (w *waiting) ended(ctx context.Context) error {
	var err error = waitEnded{ctx.Err()}
	if w.last != nil && !errors.Is(w.last, ctx.Err()) {
		err = fmt.Errorf("%w; the node's last answer: %w", err, w.last)
	}
	return &NotMinedError{Hash: w.intent.Newest().Hash(), In: w.in, Err: err}
}

// settle records what a receipt says of an intent, and returns it as an error unless
// the call was mined and succeeded.
func settle(ctx context.Context, node Backend, journal Journal, intent *Intent, receipt *types.Receipt) error {
	state := Mined
	var outcome error
	attempt := intent.attempt(receipt.TxHash)
	switch {
	case attempt.Kind == KindCancel:
		state, outcome = Cancelled, &CancelledError{Hash: receipt.TxHash, Nonce: intent.Nonce}
	case receipt.Status != types.ReceiptStatusSuccessful:
		state = Reverted
		outcome = &FailedError{Hash: receipt.TxHash, Err: replay(ctx, node, intent.Account, attempt.Tx, receipt)}
	}
	if err := journal.Settle(ctx, intent, state, receipt.TxHash); err != nil {
		return err
	}
	return outcome
}
