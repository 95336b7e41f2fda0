package wallet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Exiting says how a deposit and a reserve are taken out.
type Exiting struct {
	// Keep is put into the contract again at the end; nil for nothing.
	Keep *Kept

	// Interval is the time from one look at the chain to the next while rounds pass;
	// DefaultInterval where it is not more than 0.
	Interval time.Duration

	// Sending is how each of the transactions is sent; of Waiting, NoWait does not wait for
	// rounds, and Report is not used.
	Sending
}

// DefaultInterval is about the time between two blocks of L1.
const DefaultInterval = 12 * time.Second

// Exit is what an exit has done.
type Exit struct {
	Account format.Address `json:"account"`
	// Steps are what was done, or found done by a run that had died, in order.
	Steps []ExitStep `json:"steps"`
	// Kept is what was put into the contract again.
	Kept *Kept `json:"kept,omitempty"`
}

// ExitStep is one transaction of an exit.
type ExitStep struct {
	// Step is unlock, withdraw or keep.
	Step        string      `json:"step"`
	Transaction Transaction `json:"transaction"`
}

// Kept is what an exit leaves in the contract.
type Kept struct {
	Deposit wei.Wei `json:"deposit"`
	Reserve wei.Wei `json:"reserve"`
}

// The steps of an exit.
const (
	stepUnlock   = "unlock"
	stepWithdraw = "withdraw"
	stepKeep     = "keep"
)

// ErrNothingToTake is returned for an exit of an account that has nothing in the contract.
var ErrNothingToTake = errors.New("there is nothing to take out: deposit and reserve are 0")

// leaving is an exit under way.
type leaving struct {
	*Wallet
	o      Exiting
	result Exit
	asked  bool
	agreed *terms // nil when nothing was there at the first look
}

// Exit takes the deposit and the reserve out: it unlocks, waits, withdraws, and puts back
// what is to be kept. Run again, it continues where it was; it stops with *ChangedError
// when the account is not what was agreed to any more. It fails with *RoundsError when it is not to wait for
// rounds, with ErrNothingToTake, and as Do does.
func (w *Wallet) Exit(ctx context.Context, o Exiting) (Exit, error) {
	if err := w.canAct(); err != nil {
		return Exit{}, err
	}
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	l := &leaving{Wallet: w, o: o}
	l.result.Account = format.Address(w.Account.Address())
	for {
		next, err := l.next(ctx)
		if err == nil && next == nil {
			l.result.Kept = o.Keep
			return l.result, nil
		}
		if err == nil {
			err = l.take(ctx, next)
		}
		if changed := new(ChangedError); errors.As(err, &changed) {
			err = l.agreeAgain(ctx, changed)
		}
		if err != nil {
			return l.result, l.explain(err)
		}
	}
}

// did tells whether a step was taken by this run, or was found to be.
func (l *leaving) did(step string) bool {
	for _, s := range l.result.Steps {
		if s.Step == step {
			return true
		}
	}
	return false
}

// step is one transaction of an exit.
type step struct {
	name      string
	action    Action
	requestID string
}

// take sends the step's transaction, or continues with it, and waits until it is mined.
func (l *leaving) take(ctx context.Context, s *step) error {
	if err := l.ask(ctx, s); err != nil {
		return err
	}
	if plan := s.action.plan; s.name != stepKeep {
		// The last look before anything is signed.
		s.action.plan = func(ctx context.Context, now situation) (proposal, error) {
			if err := l.agreed.check(now.status); err != nil {
				return proposal{}, err
			}
			return plan(ctx, now)
		}
	}
	o := l.o.Sending
	o.RequestID, o.Agreed, o.NoWait, o.Report = s.requestID, true, false, nil
	result, err := l.Do(ctx, s.action, o)
	l.hangUp()
	if err != nil {
		return err
	}
	if s.name == stepUnlock && l.agreed != nil {
		l.agreed.unlocks = true
	}
	l.result.Steps = append(l.result.Steps, ExitStep{s.name, result})
	return nil
}

// ask has the whole exit agreed to, once.
func (l *leaving) ask(ctx context.Context, s *step) error {
	if l.asked {
		return nil
	}
	l.asked = true
	if s.name == stepUnlock {
		l.note("The deposit and the reserve unlock together, and leave together. Your tickets")
		l.note("stay redeemable until then; shortly before, recipients take no more of them.")
	}
	if l.o.Keep != nil {
		l.note("At the end %s of deposit and %s of reserve are put back.", l.o.Keep.Deposit, l.o.Keep.Reserve)
	}
	if l.o.Agreed {
		return nil
	}
	return l.UI.Confirm(ctx, l.question())
}

// question is what a person agrees to.
func (l *leaving) question() string {
	if l.agreed == nil {
		return "Go on with the exit?"
	}
	return fmt.Sprintf("Take %s of deposit and %s of reserve out, to %s?", l.agreed.deposit, l.agreed.reserve, common.Address(l.result.Account))
}

// explain adds to an error what was done before it.
func (l *leaving) explain(err error) error {
	var waits *RoundsError
	if len(l.result.Steps) == 0 || errors.As(err, &waits) {
		return err
	}
	last := l.result.Steps[len(l.result.Steps)-1]
	return fmt.Errorf("after step %s, which is done (transaction %s): %w", last.Step, last.Transaction.Hash, err)
}

// RoundsError is an exit that has to wait for rounds.
type RoundsError struct {
	Round string
	At    time.Time // zero where that cannot be told
}

func (e *RoundsError) Error() string {
	text := "the deposit and the reserve are unlocking, and can be withdrawn from round " + e.Round + " on"
	if !e.At.IsZero() {
		text += ", at about " + e.At.UTC().Format(time.RFC3339)
	}
	return text
}

// Hint says how to continue.
func (e *RoundsError) Hint() string { return "run the same command again then" }

// reportUnlock marks the unlock of an earlier run that could not report it as reported:
// the exit continues behind it. Otherwise the next exit would take it for its own.
func (l *leaving) reportUnlock(ctx context.Context) {
	unlock, err := l.journal.Resume(ctx, common.Address(l.result.Account), "", tx.LabelUnlock)
	if err != nil || unlock == nil {
		return // it is another run's, or what is wrong with the journal shows at the next step
	}
	_ = l.journal.End(ctx, unlock, !unlock.State.Unsettled()) // as before
}

// wait waits until the funds can be withdrawn. A node that does not answer meanwhile is
// asked again.
func (l *leaving) wait(ctx context.Context, status *chain.Status) error {
	at, known := status.WithdrawTime()
	waits := &RoundsError{Round: status.Sender.WithdrawRound.String()}
	if known {
		waits.At = at
	}
	if l.o.NoWait {
		return waits
	}
	if err := l.ask(ctx, &step{name: stepWithdraw}); err != nil {
		return err
	}
	l.note("%s; waiting (it is round %v now)", waits, status.Round.Current)
	text := fmt.Sprintf("waiting for round %v", status.Sender.WithdrawRound)
	if known {
		text += ", until about " + at.Local().Format("Mon 15:04")
	}
	defer l.UI.Progress(func() string { return text })()
	for status.Lock() == broker.Unlocking && l.agreed.check(status) == nil {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(l.o.Interval):
		}
		now, err := l.status(ctx)
		switch {
		case err == nil:
			status = now
		case errors.Is(err, chain.ErrUnreachable) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			l.note("%v; asking again", err)
		default:
			return err
		}
	}
	return nil
}

// status is where the account stands, as a node says that is up to date.
func (l *leaving) status(ctx context.Context) (*chain.Status, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	// Rounds may pass until the next look: no connection is kept.
	defer l.hangUp()
	s, err := l.look(ctx, common.Address(l.result.Account))
	if err != nil {
		return nil, err
	}
	return s.status, s.client.UpToDate(s.status.Head)
}

// next finds the next step, nil when the exit is finished. It is decided by the chain,
// and by the journal where the chain does not tell: after the withdrawal, and after
// what was kept was put back.
func (l *leaving) next(ctx context.Context) (*step, error) {
	if l.did(stepKeep) {
		return nil, nil
	}
	status, err := l.status(ctx)
	if err != nil {
		return nil, err
	}
	state := status.Lock()
	if state != broker.Empty && l.agreed == nil {
		l.agreed = termsOf(status)
		if status.Sender.Unlocking() {
			l.reportUnlock(ctx)
		}
	}
	// A withdrawal that was found done may be one of long ago: the funds tell.
	if l.did(stepWithdraw) && l.o.Keep == nil && state != broker.Unlocked {
		return nil, nil
	}
	withdrawal, keeping, died, err := l.journaled(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case died != nil && died == keeping:
		return l.putBack(withdrawal), nil
	case died != nil && (state == broker.Empty || died.State == tx.Open):
		return l.withdraw(), nil
	case state == broker.Empty && l.o.Keep != nil && withdrawal != nil && withdrawal.State == tx.Mined && keeping == nil:
		return l.putBack(withdrawal), nil
	}
	if err := l.agreed.check(status); err != nil {
		return nil, err
	}
	if state == broker.Empty {
		if l.o.Keep != nil {
			return nil, hint.With(ErrNothingToTake, "to put funds back after an exit that kept other amounts: pmctl fund")
		}
		return nil, ErrNothingToTake
	}
	l.agreed.see(status)
	// Before each step that cannot be taken back: winners may be paid while it waits.
	if err := l.keepsTooMuch(status); err != nil {
		return nil, err
	}
	switch state {
	case broker.Locked:
		return &step{name: stepUnlock, action: Unlock()}, nil
	case broker.Unlocking:
		if err := l.wait(ctx, status); err != nil {
			return nil, err
		}
		return l.next(ctx)
	default:
		return l.withdraw(), nil
	}
}

// keepsTooMuch fails when more is to be put back than will come out.
func (l *leaving) keepsTooMuch(status *chain.Status) error {
	if l.o.Keep == nil {
		return nil
	}
	keep, err := l.o.Keep.Deposit.Add(l.o.Keep.Reserve)
	if err != nil {
		return err
	}
	held, err := status.Sender.Deposit.Add(status.Sender.Reserve)
	if err != nil || keep.Cmp(held) <= 0 {
		return err
	}
	return hint.With(fmt.Errorf("%w: %s are to be kept, and deposit and reserve are %s together", tx.ErrInsufficientFunds, keep, held),
		"keep less: at most %s in all; pmctl fund adds more afterwards", held)
}

func (l *leaving) withdraw() *step {
	a := Withdraw()
	a.label = l.withdrawLabel()
	return &step{name: stepWithdraw, action: a}
}

// withdrawLabel tells the withdrawal of an exit that keeps something from one that does
// not: what follows is another thing.
func (l *leaving) withdrawLabel() tx.Label {
	if l.o.Keep == nil {
		return tx.LabelWithdraw
	}
	return tx.WithdrawKeepingLabel(l.o.Keep.Deposit, l.o.Keep.Reserve)
}

// putBack funds what was to be kept. Its request id is the withdrawal's: however many
// runs come to this step, it is taken once.
func (l *leaving) putBack(withdrawal *tx.Intent) *step {
	a := l.Funding(Funding{Deposit: l.o.Keep.Deposit, Reserve: l.o.Keep.Reserve, CancelUnlock: true}, false)
	return &step{name: stepKeep, action: a, requestID: keepID(withdrawal)}
}

func keepID(withdrawal *tx.Intent) string { return "after withdrawal " + withdrawal.ID }

// journaled returns the last withdrawal of such an exit and what was put back after it,
// nil for what there is not, and which of the two a run worked on that died before it
// reported how it went.
func (l *leaving) journaled(ctx context.Context) (withdrawal, keeping, died *tx.Intent, err error) {
	intents, err := l.journal.Intents(ctx, common.Address(l.result.Account))
	if err != nil {
		return nil, nil, nil, err
	}
	for _, i := range intents { // the newest first
		if i.Label == l.withdrawLabel() && i.RequestID == "" {
			withdrawal = i
			break
		}
	}
	if withdrawal == nil {
		return nil, nil, nil, nil
	}
	for _, i := range intents {
		if i.RequestID == keepID(withdrawal) {
			keeping = i
		}
	}
	last := withdrawal
	if keeping != nil {
		last = keeping
	}
	gone, err := l.journal.Died(ctx, last)
	if gone && !l.did(stepOf(last, keeping)) {
		died = last
	}
	return withdrawal, keeping, died, err
}

// stepOf is the step that an intent is of.
func stepOf(i, keeping *tx.Intent) string {
	if i == keeping {
		return stepKeep
	}
	return stepWithdraw
}
