package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// Submit signs a prepared call for a new intent and hands it to the node. The
// transaction is in the journal before a node gets it, so that whatever happens
// from then on, the next run finds it.
//
// It fails with ErrTaken when another run has just begun the same request, with
// *PendingError and *UnknownPendingError for what the terms do not allow, and with
// *InProgressError; nothing was signed then. With *UnknownOutcomeError, *RefusedError and
// *UncertainError the transaction may still be mined.
func Submit(ctx context.Context, node Backend, journal Journal, signer Signer, p *Prepared, intent *Intent, terms Terms) error {
	intent.Account = p.From
	err := unlike(p, func(p *Prepared) error {
		slot, err := slotFor(ctx, node, signer, p, terms)
		if err != nil {
			return err
		}
		return journal.Begin(ctx, intent, slot)
	})
	if err != nil {
		return err
	}
	return broadcast(ctx, node, journal, intent)
}

// Move signs a prepared call anew, with another nonce, for an intent whose own is used up
// by a transaction of others: Await has failed with *LostError. It fails as Submit does.
func Move(ctx context.Context, node Backend, journal Journal, signer Signer, p *Prepared, intent *Intent, terms Terms) error {
	err := unlike(p, func(p *Prepared) error {
		slot, err := slotFor(ctx, node, signer, p, terms)
		if err != nil {
			return err
		}
		return journal.Move(ctx, intent, slot)
	})
	if err != nil {
		return err
	}
	return broadcast(ctx, node, journal, intent)
}

// mostAlike is how often a transaction is signed anew that another intent has already.
const mostAlike = 16

// unlike keeps a call whose transaction must be no other intent's. The same call at the same
// price and nonce, which two intents have after a refusal, is the very same transaction:
// what is mined of it would be taken for both. A wei less for a unit of gas makes it another
// one, and breaks no limit.
func unlike(p *Prepared, keep func(*Prepared) error) error {
	other := *p
	for range mostAlike {
		if err := keep(&other); !errors.Is(err, ErrAlike) {
			return err
		}
		other.FeeCap = new(big.Int).Sub(other.FeeCap, big.NewInt(1))
		if other.TipCap.Cmp(other.FeeCap) > 0 {
			other.TipCap = other.FeeCap
		}
	}
	return keep(&other)
}

func slotFor(ctx context.Context, node Backend, signer Signer, p *Prepared, terms Terms) (Slot, error) {
	if signer.Address() != p.From {
		return Slot{}, fmt.Errorf("the transaction was prepared for %s and cannot be signed by %s", p.From, signer.Address())
	}
	used, pending, err := node.Nonces(ctx, p.From)
	return Slot{Used: used, Pending: pending, Agree: terms.Agree, Sign: func(nonce uint64) (*types.Transaction, error) {
		return signer.SignTx(p.transaction(node.ChainID(), nonce), node.ChainID())
	}}, err
}

// Retry signs a prepared call anew for an intent that a node refused, with the intent's
// nonce, and hands it to the node. It fails with ErrHeld where another intent has the
// nonce by now, and as Submit does.
func Retry(ctx context.Context, node Backend, journal Journal, signer Signer, p *Prepared, intent *Intent) error {
	return Replace(ctx, node, journal, signer, intent, p, KindCall)
}

// Resend hands an intent's newest transaction to the node again. It fails as Submit does.
func Resend(ctx context.Context, node Backend, journal Journal, intent *Intent) error {
	return broadcast(ctx, node, journal, intent)
}

// broadcast hands an intent's newest transaction to the node. It can be done any number
// of times: a transaction is mined once.
func broadcast(ctx context.Context, node Backend, journal Journal, intent *Intent) error {
	newest := intent.Newest()
	err := node.SendTransaction(ctx, newest)
	if err == nil || isKnown(err) {
		return nil
	}
	unknown := &UnknownOutcomeError{Hash: newest.Hash(), Err: err}
	if !answered(err) {
		return unknown
	}
	// The node refused. That may be since it had got the transaction before, or another
	// of the same intent.
	known, lookErr := knows(ctx, node, intent)
	if lookErr != nil {
		return unknown
	}
	used, lookErr := node.NonceAt(ctx, intent.Account)
	switch {
	case lookErr != nil:
		return unknown
	case known || used > intent.Nonce:
		return nil // waiting finds out what became of it
	}
	// What a node says of a transaction is not known to be the network's word: the
	// intent stays, with its nonce and its request id.
	recordErr := journal.Record(ctx, intent, Outcome{State: Refused, Refusal: err.Error()})
	switch {
	case errors.Is(recordErr, ErrNotOwner), errors.Is(recordErr, ErrChanged):
		return unknown // another run has continued it
	case recordErr != nil:
		return errors.Join(unknown, recordErr)
	}
	return &RefusedError{Hash: newest.Hash(), Nonce: intent.Nonce, Err: err}
}

// knows tells whether the node has any of an intent's transactions.
func knows(ctx context.Context, node Backend, intent *Intent) (bool, error) {
	for i := len(intent.Attempts) - 1; i >= 0; i-- {
		known, err := node.KnowsTransaction(ctx, intent.Attempts[i].Tx.Hash())
		if err != nil || known {
			return known, err
		}
	}
	return false, nil
}

// alreadyKnown is what nodes answer when the very same transaction, by its hash,
// waits in their pool already. Their errors have no code for it.
const alreadyKnown = "already known"

func isKnown(err error) bool { return strings.Contains(err.Error(), alreadyKnown) }

// answered tells whether an error is a node's own answer and not the connection's.
func answered(err error) bool {
	var fromNode rpc.Error
	return errors.As(err, &fromNode)
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
func SubmitSigned(ctx context.Context, node Backend, journal SignedJournal, intent *Intent, signed *types.Transaction, terms Terms) (*Intent, error) {
	known, err := journal.Find(ctx, signed.Hash())
	if err == nil {
		return known, resubmit(ctx, node, journal, known)
	}
	if !errors.Is(err, ErrUnknown) {
		return nil, err
	}
	used, pending, err := node.Nonces(ctx, intent.Account)
	if err != nil {
		return nil, err
	}
	if _, err := currentHead(ctx, node); err != nil {
		return nil, err
	}
	if pending > used {
		// What the node counts may be this very transaction, sent by another program.
		if known, err := node.KnowsTransaction(ctx, signed.Hash()); err != nil {
			return nil, err
		} else if known {
			pending = used
		}
	}
	err = journal.Begin(ctx, intent, Slot{Used: used, Pending: pending, Agree: terms.Agree, Sign: func(free uint64) (*types.Transaction, error) {
		if free != signed.Nonce() {
			return nil, &NonceError{Nonce: signed.Nonce(), Free: free}
		}
		return signed, nil
	}})
	if err != nil {
		return nil, err
	}
	return intent, broadcast(ctx, node, journal, intent)
}

// resubmit hands a transaction of the journal over again.
func resubmit(ctx context.Context, node Backend, journal SignedJournal, intent *Intent) error {
	if err := journal.Adopt(ctx, intent); err != nil {
		return err
	}
	if !intent.State.Unsettled() {
		return nil // waiting says what became of it
	}
	if intent.State == Refused {
		if err := journal.Add(ctx, intent, intent.Attempts[len(intent.Attempts)-1]); err != nil {
			return err
		}
	}
	return broadcast(ctx, node, journal, intent)
}

// SignedJournal is a Journal for transactions that were signed somewhere else.
type SignedJournal interface {
	Journal

	// Adopt makes an intent the caller's own, unless the run that it belongs to is alive,
	// or has reported how it went.
	Adopt(ctx context.Context, intent *Intent) error
}
