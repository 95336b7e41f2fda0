package wallet

import (
	"context"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// terms are the amounts that the user agreed to. Days may pass before the withdrawal, and other
// programs may use the account meanwhile.
type terms struct {
	// deposit and reserve are the most to withdraw. Less is fine: winners were paid.
	deposit, reserve wei.Wei

	// unlocks reports whether the exit has unlocked the funds, or found them unlocking.
	// withdrawRound is the round of that unlock, nil until it was read.
	unlocks       bool
	withdrawRound *big.Int
}

func termsOf(s *chain.Status) *terms {
	t := &terms{deposit: s.Sender.Deposit, reserve: s.Sender.Reserve}
	t.noteUnlock(s)
	return t
}

func (t *terms) noteUnlock(s *chain.Status) {
	if s.Sender.Unlocking() {
		t.unlocks, t.withdrawRound = true, s.Sender.WithdrawRound
	}
}

// check returns *ChangedError if the account no longer matches the terms. Nil terms match always.
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

// ChangedError is returned if the account has changed since the user agreed to an exit.
type ChangedError struct {
	agreed     terms
	now        *chain.Status
	unlockGone bool
}

func (e *ChangedError) Error() string {
	is, was := e.now.Sender, e.agreed
	switch {
	case !is.Funded():
		return fmt.Sprintf("nothing is left of %s of deposit and %s of reserve, which this exit was to withdraw", was.deposit, was.reserve)
	case !e.unlockGone:
		return fmt.Sprintf("deposit and reserve have grown: this exit was to withdraw %s and %s, they are now %s and %s",
			was.deposit, was.reserve, is.Deposit, is.Reserve)
	}
	text := "the unlock that this exit waited for"
	if was.withdrawRound != nil {
		text += fmt.Sprintf(" (withdraw from round %v)", was.withdrawRound)
	}
	text += " is no longer in progress: "
	if is.Unlocking() {
		text += fmt.Sprintf("another one is, until round %v, for ", is.WithdrawRound)
	}
	text += fmt.Sprintf("%s of deposit and %s of reserve", is.Deposit, is.Reserve)
	if !is.Unlocking() {
		text += " are locked"
	}
	if is.Deposit.Cmp(was.deposit) != 0 || is.Reserve.Cmp(was.reserve) != 0 {
		text += fmt.Sprintf("; this exit was to withdraw %s and %s", was.deposit, was.reserve)
	}
	return text
}

// Hint says what can be done.
func (e *ChangedError) Hint() string {
	if !e.now.Sender.Funded() {
		return "another command has withdrawn it, or winning tickets were paid from it: see pmctl tx list --all and pmctl history"
	}
	return "nothing more was sent; check pmctl status, then run pmctl exit again to withdraw the current amounts"
}

// agreeAgain asks the user to agree to the change. If no question can be asked, or nothing is left,
// the change is an error.
func (f *exitFlow) agreeAgain(ctx context.Context, changed *ChangedError) error {
	if f.o.Agreed || !f.UI.Asks() || !changed.now.Sender.Funded() {
		return changed
	}
	f.note("%s", changed)
	f.agreed = termsOf(changed.now)
	return f.UI.Confirm(ctx, f.question())
}
