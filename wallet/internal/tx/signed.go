package tx

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/core/types"
)

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
// as Submit does; the intent is nil unless it is in the m.Journal.
func (m Manager) SubmitSigned(ctx context.Context, intent *Intent, signed *types.Transaction, terms Terms) (*Intent, error) {
	known, err := m.Journal.Find(ctx, signed.Hash())
	if err == nil {
		return known, m.resubmit(ctx, known)
	}
	if !errors.Is(err, ErrUnknown) {
		return nil, err
	}
	used, pending, err := m.Node.Nonces(ctx, intent.Account)
	if err != nil {
		return nil, err
	}
	head, err := m.Node.Head(ctx)
	if err != nil {
		return nil, err
	}
	if err := m.Node.UpToDate(head); err != nil {
		return nil, err
	}
	if pending > used {
		// What the node counts may be this very transaction, sent by another program.
		if known, err := m.Node.KnowsTransaction(ctx, signed.Hash()); err != nil {
			return nil, err
		} else if known {
			pending = used
		}
	}
	err = m.Journal.Begin(ctx, intent, Slot{Used: used, Pending: pending, Agree: terms.Agree, Sign: func(free uint64) (*types.Transaction, error) {
		if free != signed.Nonce() {
			return nil, &NonceError{Nonce: signed.Nonce(), Free: free}
		}
		return signed, nil
	}})
	if err != nil {
		return nil, err
	}
	return intent, m.Resend(ctx, intent)
}

// resubmit hands a transaction of the journal over again.
func (m Manager) resubmit(ctx context.Context, intent *Intent) error {
	if err := m.Journal.Adopt(ctx, intent); err != nil {
		return err
	}
	if !intent.State.Unsettled() {
		return nil // waiting says what became of it
	}
	if intent.State == Refused {
		if err := m.Journal.Add(ctx, intent, intent.Attempts[len(intent.Attempts)-1]); err != nil {
			return err
		}
	}
	return m.Resend(ctx, intent)
}
