package tx

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/hint"
)

// SubmitSigned sends a transaction that was signed elsewhere, for the intent's account and nonce.
// It returns the journal's intent, an earlier run's if the same transaction was submitted before.
// It fails as Submit does, and for a nonce that another intent has; the intent is nil unless it is in the journal.
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
		// The pending transaction may be this one, sent by another program.
		if known, err := m.Node.KnowsTransaction(ctx, signed.Hash()); err != nil {
			return nil, err
		} else if known {
			pending = used
		}
	}
	err = m.Journal.Begin(ctx, intent, Slot{Used: used, Pending: pending, Agree: terms.Agree, Sign: func(free uint64) (*types.Transaction, error) {
		if free != signed.Nonce() {
			return nil, hint.With(fmt.Errorf("the transaction has nonce %d, which another transaction of the account uses; the next free one is %d", signed.Nonce(), free),
				"prepare it again with --unsigned of pmctl fund, unlock, withdraw or ticket redeem, and sign that")
		}
		return signed, nil
	}})
	if err != nil {
		return nil, err
	}
	return intent, m.Resend(ctx, intent)
}

// resubmit sends a transaction of the journal again.
func (m Manager) resubmit(ctx context.Context, intent *Intent) error {
	if err := m.Journal.Adopt(ctx, intent); err != nil {
		return err
	}
	if !intent.State.Unsettled() {
		return nil // waiting will show the outcome
	}
	if intent.State == Refused {
		if err := m.Journal.Add(ctx, intent, intent.Attempts[len(intent.Attempts)-1]); err != nil {
			return err
		}
	}
	return m.Resend(ctx, intent)
}
