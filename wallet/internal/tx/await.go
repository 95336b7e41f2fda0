package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/chain"
)

const (
	firstPoll = 100 * time.Millisecond
	lastPoll  = 2 * time.Second

	// looksBetween is how many looks without a result pass between two that check whether the
	// nodes still have the transaction.
	looksBetween = 5
	// lostAfter is how many looks in a row must find another transaction with the nonce in the
	// same block: a block may be replaced.
	lostAfter = 3
)

// AwaitOptions are how a transaction is waited for.
type AwaitOptions struct {
	// Confirmations is how many blocks must have it, its own included; 0 is 1.
	Confirmations uint64

	// WithPending also resends earlier open transactions of the account that the node has lost.
	// It needs the user's consent: they move ether.
	WithPending bool
}

// Await waits until one of an intent's transactions is in a block with Confirmations-1 more on
// top, and records the outcome. While it waits it resends what the nodes have lost, and rereads
// the journal, since other runs may replace the transaction. The chain's present state counts,
// whatever was recorded before.
//
// It returns the receipt of the mined transaction. It fails with pm.ErrTxFailed if that reverted,
// *CancelledError if it was an empty transaction that cancelled the call, *LostError if the
// chain shows that another transaction used the nonce, *RefusedError if ctx ends and the node
// last refused the transaction, and *NotMinedError if ctx ends otherwise.
func (m Manager) Await(ctx context.Context, intent *Intent, o AwaitOptions) (*types.Receipt, error) {
	w := waiting{Manager: m, intent: intent, AwaitOptions: o}
	for wait := firstPoll; ; wait = min(wait*3/2, lastPoll) {
		receipt, err := w.look(ctx)
		var lost *LostError
		switch {
		case receipt != nil:
			err = m.settle(ctx, intent, receipt)
			if !errors.Is(err, ErrChanged) {
				return receipt, err
			}
		case errors.As(err, &lost):
			err = m.Journal.Record(ctx, intent, Outcome{State: Lost})
			if err == nil {
				return nil, lost
			}
			if !errors.Is(err, ErrChanged) {
				return nil, err
			}
		case isGone(err):
			return nil, err
		case errors.Is(err, ErrReplaced):
			return nil, &NotMinedError{Hash: intent.Newest().Hash(), In: w.in, Err: err}
		}
		if err != nil && ctx.Err() == nil {
			// A node that is briefly down does not undo what was sent.
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

// isGone reports whether the journal no longer has the intent.
func isGone(err error) bool {
	var changed *ChangedError
	return errors.As(err, &changed) && changed.Found == ""
}

type waiting struct {
	Manager
	AwaitOptions
	intent *Intent

	looks int
	// foreign counts the looks in a row that found the same transaction of another intent with
	// the nonce.
	foreign int
	by      chain.NonceUse
	// in is the block with the transaction, while too few are on top of it.
	in *big.Int
	// hidden is why a node does not show which transaction used the nonce.
	hidden error
	// refused is the node's last answer to the transaction; nil if it has it.
	refused *RefusedError
	// behind is what must be mined first, as of the last look.
	behind error
	last   error
}

// look returns the receipt of a transaction with enough confirmations, nil if there is none
// yet, or *LostError.
func (w *waiting) look(ctx context.Context) (*types.Receipt, error) {
	if err := w.Journal.Reload(ctx, w.intent); err != nil {
		return nil, err
	}
	receipt, err := w.mined(ctx, w.intent)
	if err != nil {
		return nil, err
	}
	w.in = nil
	if receipt != nil {
		w.foreign, w.hidden, w.in = 0, nil, receipt.BlockNumber
		return w.deep(ctx, receipt)
	}
	if w.looks++; w.looks%looksBetween != 0 && w.foreign == 0 {
		return nil, nil
	}
	used, err := w.Node.NonceAt(ctx, w.intent.Account)
	if err != nil {
		return nil, err
	}
	if used > w.intent.Nonce {
		w.refused, w.behind = nil, nil
		return nil, w.identify(ctx)
	}
	w.foreign, w.hidden = 0, nil
	// Nodes drop transactions from their pools, and a replaced block's transactions do not
	// always return to it.
	return nil, w.sendAgain(ctx, used)
}

// mined returns the receipt of an intent's mined transaction, nil if there is none.
func (m Manager) mined(ctx context.Context, intent *Intent) (*types.Receipt, error) {
	for _, attempt := range slices.Backward(intent.Attempts) {
		receipt, err := m.Node.TransactionReceipt(ctx, attempt.Tx.Hash())
		if err == nil {
			return receipt, nil
		}
		if !errors.Is(err, ethereum.NotFound) {
			return nil, err
		}
	}
	return nil, nil
}

// deep returns the receipt once it has enough confirmations.
func (w *waiting) deep(ctx context.Context, receipt *types.Receipt) (*types.Receipt, error) {
	if w.Confirmations <= 1 {
		return receipt, nil
	}
	enough, err := w.buried(ctx, receipt.BlockNumber.Uint64())
	if err != nil || !enough {
		return nil, err
	}
	// The head may belong to a newer chain than the receipt.
	again, err := w.Node.TransactionReceipt(ctx, receipt.TxHash)
	if err != nil || again.BlockHash != receipt.BlockHash {
		return nil, err
	}
	return receipt, nil
}

func (w *waiting) buried(ctx context.Context, block uint64) (bool, error) {
	if w.Confirmations <= 1 {
		return true, nil
	}
	head, err := w.Node.Head(ctx)
	return err == nil && head.Number+1 >= block+w.Confirmations, err
}

// identify determines which transaction used the nonce, if none of the intent's has a receipt.
// It fails with *LostError once another one did for certain: each node shows it, in the same
// block, look after look.
func (w *waiting) identify(ctx context.Context) error {
	use, err := w.journaled(ctx)
	if err != nil {
		return err
	}
	if use.Tx == nil {
		use, err = agreed(w.Node.NonceUses(ctx, w.intent.Account, w.intent.Nonce), w.intent.Nonce)
	}
	if err != nil {
		w.foreign = 0
		// A node that does not answer does not disprove what an earlier look found.
		if silent := use.Err != nil && !use.Used; !silent || w.hidden == nil {
			w.hidden = err
		}
		return nil
	}
	w.hidden = nil
	_, err = w.Journal.Find(ctx, use.Tx.Hash())
	if err != nil && !errors.Is(err, ErrUnknown) {
		return err
	}
	foreign := err != nil
	switch kind, own := w.intent.equivalent(use.Tx); {
	case w.intent.Has(use.Tx.Hash()):
		w.foreign = 0
		w.hidden = fmt.Errorf("block %d has it, but the node at %s does not show its receipt yet", use.Block, use.URL)
		return nil
	case foreign && own:
		// It was signed for the same intent outside of this journal: from a copy of the store,
		// or with another wallet.
		w.foreign = 0
		return w.adopt(ctx, Attempt{Tx: use.Tx, Kind: kind, At: time.Now()})
	}
	if w.foreign > 0 && (w.by.Tx.Hash() != use.Tx.Hash() || w.by.Block != use.Block) {
		w.foreign = 0
	}
	w.by = use
	w.foreign++
	if w.foreign < lostAfter {
		return nil
	}
	if enough, err := w.buried(ctx, use.Block); err != nil || !enough {
		return err
	}
	return &LostError{Hash: w.intent.Newest().Hash(), Nonce: w.intent.Nonce, By: use.Tx.Hash()}
}

// journaled returns the use of the nonce by a transaction that settled another intent of the journal;
// Tx is nil if none has a receipt. Nodes show receipts for longer than the state of old blocks, in
// which NonceUses looks.
func (w *waiting) journaled(ctx context.Context) (chain.NonceUse, error) {
	settled, err := w.Journal.Dropped(ctx, w.intent.Account, w.intent.Nonce)
	for _, other := range settled {
		if other.Nonce != w.intent.Nonce || other.is(w.intent) {
			continue
		}
		receipt, err := w.mined(ctx, other)
		if err != nil {
			return chain.NonceUse{}, err
		}
		if receipt == nil {
			continue
		}
		if by := other.Sent(receipt.TxHash); by.Nonce() == w.intent.Nonce {
			return chain.NonceUse{Used: true, Tx: by, Block: receipt.BlockNumber.Uint64()}, nil
		}
	}
	return chain.NonceUse{}, err
}

// adopt adds a transaction of an intent that the journal did not have.
func (w *waiting) adopt(ctx context.Context, attempt Attempt) error {
	if w.intent.State == Lost {
		if err := w.Journal.Record(ctx, w.intent, Outcome{State: Open}); err != nil {
			return err
		}
	}
	return w.Journal.Add(ctx, w.intent, attempt)
}

// equivalent reports whether a transaction does what the intent does, or replaces it with an
// empty one.
func (i *Intent) equivalent(other *types.Transaction) (Kind, bool) {
	call, to := i.call(), other.To()
	switch {
	case to == nil || call.To() == nil:
		return "", false
	case *to == *call.To() && other.Value().Cmp(call.Value()) == 0 && string(other.Data()) == string(call.Data()):
		return KindBump, true
	case *to == i.Account && other.Value().Sign() == 0 && len(other.Data()) == 0:
		return KindCancel, true
	}
	return "", false
}

// agreed returns what all nodes report about a used nonce. It fails if one does not answer,
// does not show the transaction, or shows a different one.
func agreed(uses []chain.NonceUse, nonce uint64) (chain.NonceUse, error) {
	for _, use := range uses {
		switch {
		case use.Err != nil && !use.Used:
			return use, fmt.Errorf("the node at %s does not say which transaction used nonce %d: %w", use.URL, nonce, use.Err)
		case !use.Used:
			return use, fmt.Errorf("nonce %d is not used yet according to the node at %s, but is according to another", nonce, use.URL)
		case use.Tx == nil:
			return use, &HiddenError{URL: use.URL, Nonce: nonce, Err: use.Err}
		case use.Tx.Hash() != uses[0].Tx.Hash():
			return use, fmt.Errorf("the nodes at %s and %s show different transactions with nonce %d", uses[0].URL, use.URL, nonce)
		}
	}
	return uses[0], nil
}

// sendAgain resends what the node has lost: the intent's transaction and, with the user's
// consent, those of the account that must be mined before it.
func (w *waiting) sendAgain(ctx context.Context, used uint64) error {
	unsettled, err := w.Journal.Unsettled(ctx, w.intent.Account)
	if err != nil {
		return err
	}
	dropped, err := w.Journal.Dropped(ctx, w.intent.Account, used)
	if err != nil {
		return err
	}
	var before []*Intent
	held := slices.ContainsFunc(dropped, func(i *Intent) bool { return i.Nonce == w.intent.Nonce })
	for _, i := range unsettled {
		if i.ID == w.intent.ID || i.State != Open || i.Nonce < used || i.Nonce > w.intent.Nonce {
			continue
		}
		before = append(before, i)
		held = held || i.Nonce == w.intent.Nonce
	}
	w.behind = w.blocked(append(dropped, before...), used)
	if w.WithPending {
		for _, i := range before {
			if err := w.sendUnlessKnown(ctx, i); err != nil {
				return err
			}
		}
	}
	if held && w.intent.State == Refused {
		return nil // the other one has the nonce now
	}
	err = w.sendUnlessKnown(ctx, w.intent)
	if !errors.As(err, &w.refused) {
		w.refused = nil
	}
	return err
}

// sendUnlessKnown sends an intent's newest transaction if the node has none of the intent's. It
// fails with *RefusedError, which it does not record.
func (m Manager) sendUnlessKnown(ctx context.Context, intent *Intent) error {
	known, err := m.knows(ctx, intent)
	if err != nil {
		return err
	}
	if !known {
		newest := intent.Newest()
		err := m.Node.SendTransaction(ctx, newest)
		if err != nil && answered(err) && !isKnown(err) {
			return &RefusedError{Hash: newest.Hash(), Nonce: intent.Nonce, Err: err}
		}
		if err != nil && !isKnown(err) {
			return err
		}
	}
	if intent.State == Refused {
		return m.Journal.Record(ctx, intent, Outcome{State: Open})
	}
	return nil
}

// blocked returns what must be mined before the intent can be: open intents, those that were mined
// in blocks since replaced, or a transaction that the journal does not have; nil if nothing must.
func (w *waiting) blocked(others []*Intent, used uint64) error {
	var before []*Intent
	with := make(map[uint64]*Intent)
	for _, i := range others {
		with[i.Nonce] = i
	}
	for n := used; n <= w.intent.Nonce; n++ {
		switch i := with[n]; {
		case i != nil && !i.is(w.intent):
			before = append(before, i)
		case n < w.intent.Nonce:
			return Gap(n)
		}
	}
	if len(before) == 0 {
		return nil
	}
	return Behind(before[0])
}

// ended is the error of a wait that ended before the transaction was mined.
func (w *waiting) ended(ctx context.Context) error {
	var err error = waitEnded{ctx.Err()}
	if w.refused != nil {
		ctx := context.WithoutCancel(ctx)
		if recordErr := w.Journal.Record(ctx, w.intent, Outcome{State: Refused, Refusal: w.refused.Err.Error()}); recordErr == nil {
			return w.refused
		}
	}
	switch {
	case w.hidden != nil:
		err = fmt.Errorf("%w; %w", err, w.hidden)
	case w.last != nil && !errors.Is(w.last, ctx.Err()):
		err = fmt.Errorf("%w; the node's last answer: %w", err, w.last)
	case w.behind != nil:
		err = fmt.Errorf("%w; %w", err, w.behind)
	}
	return &NotMinedError{Hash: w.intent.Newest().Hash(), In: w.in, Dropped: w.in == nil && !w.intent.State.Unsettled(), Err: err}
}
