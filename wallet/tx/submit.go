package tx

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// Submit signs a prepared call for a new intent and hands it to the node. The
// transaction is in the journal before anybody can send it, so that whatever happens
// from then on, the next run finds it.
//
// It fails with ErrTaken when another run has just begun the same request, and with
// *UnknownOutcomeError when it is not known whether the node has the transaction. Any
// other error means that nothing was sent.
func Submit(ctx context.Context, node Backend, journal Journal, signer Signer, p *Prepared, intent *Intent) error {
	if signer.Address() != p.From {
		return fmt.Errorf("the transaction was prepared for %s and cannot be signed by %s", p.From, signer.Address())
	}
	pending, err := node.PendingNonceAt(ctx, p.From)
	if err != nil {
		return err
	}
	intent.Account = p.From
	err = journal.Begin(ctx, intent, pending, func(nonce uint64) (*types.Transaction, error) {
		return signer.SignTx(p.transaction(node.ChainID(), nonce), node.ChainID())
	})
	if err != nil {
		return err
	}
	return broadcast(ctx, node, journal, intent)
}

// broadcast hands an intent's newest transaction to the node. It can be done any number
// of times: a transaction is mined once.
func broadcast(ctx context.Context, node Backend, journal Journal, intent *Intent) error {
	newest := intent.Newest()
	err := node.SendTransaction(ctx, newest)
	if err == nil || strings.Contains(err.Error(), alreadyKnown) {
		return nil
	}
	unknown := &UnknownOutcomeError{Hash: newest.Hash(), Err: err}
	if !answered(err) {
		return unknown
	}
	// The node refused. That may be since it had got the transaction before.
	known, lookErr := node.KnowsTransaction(ctx, newest.Hash())
	switch {
	case lookErr != nil:
		return unknown
	case known:
		return nil
	case len(intent.Attempts) > 1 || !neverTaken(err):
		return unknown
	}
	if forgetErr := journal.Forget(ctx, intent); forgetErr != nil {
		return errors.Join(unknown, forgetErr)
	}
	return err
}

// alreadyKnown is what nodes answer when the very same transaction, by its hash,
// waits in their pool already. Their errors have no code for it.
const alreadyKnown = "already known"

// answered tells whether an error is a node's own answer and not the connection's.
func answered(err error) bool {
	var fromNode rpc.Error
	return errors.As(err, &fromNode)
}

// neverTaken tells whether a node refuses a transaction for what it is, so that no node
// has taken it. A nonce that is too low is not among the reasons: the transaction itself
// may have been mined meanwhile.
func neverTaken(err error) bool {
	for _, reason := range []string{
		"insufficient funds",
		"intrinsic gas too low",
		"exceeds block gas limit",
		"transaction underpriced",
		"max fee per gas less than block base fee",
		"max priority fee per gas higher than max fee per gas",
		"invalid sender",
		"oversized data",
	} {
		if strings.Contains(err.Error(), reason) {
			return true
		}
	}
	return false
}

// NonceError is a signed transaction whose nonce is another intent's.
type NonceError struct {
	// Nonce is the transaction's, Free the lowest one that is free.
	Nonce, Free uint64
}

func (e *NonceError) Error() string {
	return fmt.Sprintf("the transaction has nonce %d, which another transaction of the account has taken; %d is free", e.Nonce, e.Free)
}

// Hint says what to do.
func (e *NonceError) Hint() string { return "prepare it anew with --unsigned, and sign that" }

// SubmitSigned hands over a transaction that was signed somewhere else: for its account
// and nonce, as the intent says. It returns the journal's intent, which is an earlier
// run's when the same transaction was handed over before. It fails with *NonceError, and
// as Submit does; the intent is nil unless it is in the journal.
func SubmitSigned(ctx context.Context, node Backend, journal SignedJournal, intent *Intent, signed *types.Transaction) (*Intent, error) {
	known, err := journal.Find(ctx, signed.Hash())
	if err == nil {
		return known, broadcast(ctx, node, journal, known)
	}
	if !errors.Is(err, ErrUnknown) {
		return nil, err
	}
	used, err := node.NonceAt(ctx, intent.Account)
	if err != nil {
		return nil, err
	}
	if used > intent.Nonce {
		return nil, &NonceError{Nonce: intent.Nonce, Free: used}
	}
	if _, err := currentHead(ctx, node); err != nil {
		return nil, err
	}
	err = journal.Begin(ctx, intent, intent.Nonce, func(free uint64) (*types.Transaction, error) {
		if free != signed.Nonce() {
			return nil, &NonceError{Nonce: signed.Nonce(), Free: free}
		}
		return signed, nil
	})
	if err != nil {
		return nil, err
	}
	err = broadcast(ctx, node, journal, intent)
	if err != nil && !errors.As(err, new(*UnknownOutcomeError)) {
		return nil, err
	}
	return intent, err
}

// SignedJournal is a Journal that can be asked for a transaction.
type SignedJournal interface {
	Journal

	// Find returns the intent that a transaction belongs to. It fails with ErrUnknown.
	Find(ctx context.Context, hash common.Hash) (*Intent, error)
}

// ErrUnknown is returned for a transaction that is not in the journal.
var ErrUnknown = errors.New("the journal does not know this transaction")
