package wallet

import (
	"context"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// terms are what the user agreed to when an exit was asked for. Days may pass before it
// withdraws, and others act on the account meanwhile.
type terms struct {
	// deposit and reserve are the most to take out. Less is fine: winners were paid.
	deposit, reserve wei.Wei

	// unlocks tells that the exit has unlocked the funds, or found them unlocking;
	// withdrawRound is that unlock's, nil until it was seen.
	unlocks       bool
	withdrawRound *big.Int
}

func termsOf(s *chain.Status) *terms {
	t := &terms{deposit: s.Sender.Deposit, reserve: s.Sender.Reserve}
	t.noteUnlock(s)
	return t
}

// noteUnlock takes note of an unlock.
func (t *terms) noteUnlock(s *chain.Status) {
	if s.Sender.Unlocking() {
		t.unlocks, t.withdrawRound = true, s.Sender.WithdrawRound
	}
}

// check fails with *ChangedError when the account is not what was agreed to any more.
// Nil terms are met by everything.
func (t *terms) check(s *chain.Status) error {
	if t == nil {
		return nil
	}
	gone := t.unlocks && (!s.Sender.Unlocking() || t.withdrawRound != nil && t.withdrawRound.Cmp(s.Sender.WithdrawRound) != 0)
	grown := s.Sender.Deposit.Cmp(t.deposit) > 0 || s.Sender.Reserve.Cmp(t.reserve) > 0
	if !gone && !grown {
		return nil
	}
	return &ChangedError{agreed: *t, now: s, unlockGone: gone}
}

// ChangedError is an account that changed after an exit was agreed to.
type ChangedError struct {
	agreed     terms
	now        *chain.Status
	unlockGone bool
}

func (e *ChangedError) Error() string {
	is, was := e.now.Sender, e.agreed
	switch {
	case !is.Funded():
		return fmt.Sprintf("there is nothing left of %s of deposit and %s of reserve, which this exit was to take out", was.deposit, was.reserve)
	case !e.unlockGone:
		return fmt.Sprintf("deposit and reserve have grown since it was asked to take out %s of deposit and %s of reserve: they are %s and %s",
			was.deposit, was.reserve, is.Deposit, is.Reserve)
	}
	text := "the unlock that this exit waited for"
	if was.withdrawRound != nil {
		text += fmt.Sprintf(" (withdraw from round %v)", was.withdrawRound)
	}
	text += " is not in progress any more: "
	if is.Unlocking() {
		text += fmt.Sprintf("another one is, until round %v, of ", is.WithdrawRound)
	}
	text += fmt.Sprintf("%s of deposit and %s of reserve", is.Deposit, is.Reserve)
	if !is.Unlocking() {
		text += " are locked"
	}
	if is.Deposit.Cmp(was.deposit) != 0 || is.Reserve.Cmp(was.reserve) != 0 {
		text += fmt.Sprintf(", where it was asked to take out %s and %s", was.deposit, was.reserve)
	}
	return text
}

// Hint says how to agree to what there is now.
func (e *ChangedError) Hint() string {
	if !e.now.Sender.Funded() {
		return "another command has withdrawn it, or winning tickets were paid from it: see pmctl tx list --all and pmctl history; pmctl exit has nothing left to do"
	}
	return "nothing more was done; pmctl status shows what there is, and pmctl exit, run again, takes that out"
}

// agreeAgain has a person agree to what has changed. Where it cannot ask, or nothing
// is left to agree to, the change is an error.
func (f *exitFlow) agreeAgain(ctx context.Context, changed *ChangedError) error {
	if f.o.Agreed || !f.UI.Asks() || !changed.now.Sender.Funded() {
		return changed
	}
	f.note("%s", changed)
	f.agreed = termsOf(changed.now)
	return f.UI.Confirm(ctx, f.question())
}
