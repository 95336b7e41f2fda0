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

// ExitOptions says how a deposit and a reserve are taken out.
type ExitOptions struct {
	// Keep is put into the contract again at the end; nil for nothing.
	Keep *Kept

	// Interval is the time from one look at the chain to the next while rounds pass;
	// DefaultInterval where it is not more than 0.
	Interval time.Duration

	// SendOptions is how each of the transactions is sent; of WaitOptions, NoWait does not wait for
	// rounds, and Report is not used.
	SendOptions
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
type exitFlow struct {
	*Wallet
	o      ExitOptions
	result Exit
	asked  bool
	agreed *terms // nil when nothing was there at the first look
}

// Exit takes the deposit and the reserve out: it unlocks, waits, withdraws, and puts back
// what is to be kept. Run again, it continues where it was; it stops with *ChangedError
// when the account is not what was agreed to any more. It fails with *RoundsError when it is not to wait for
// rounds, with ErrNothingToTake, and as Do does.
func (w *Wallet) Exit(ctx context.Context, o ExitOptions) (Exit, error) {
	if err := w.requireAccount(); err != nil {
		return Exit{}, err
	}
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	f := &exitFlow{Wallet: w, o: o}
	f.result.Account = format.Address(w.Account.Address())
	for {
		next, err := f.next(ctx)
		if err == nil && next == nil {
			f.result.Kept = o.Keep
			return f.result, nil
		}
		if err == nil {
			err = f.send(ctx, next)
		}
		if changed := new(ChangedError); errors.As(err, &changed) {
			err = f.agreeAgain(ctx, changed)
		}
		if err != nil {
			return f.result, f.explain(err)
		}
	}
}

// did tells whether a step was taken by this run, or was found to be.
func (f *exitFlow) did(step string) bool {
	for _, s := range f.result.Steps {
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

// send sends the step's transaction, or continues with it, and waits until it is mined.
func (f *exitFlow) send(ctx context.Context, s *step) error {
	if err := f.confirm(ctx, s); err != nil {
		return err
	}
	if plan := s.action.plan; s.name != stepKeep {
		// The last look before anything is signed.
		s.action.plan = func(ctx context.Context, now situation) (proposal, error) {
			if err := f.agreed.check(now.status); err != nil {
				return proposal{}, err
			}
			return plan(ctx, now)
		}
	}
	o := f.o.SendOptions
	o.RequestID, o.Agreed, o.NoWait, o.Report = s.requestID, true, false, nil
	result, err := f.Do(ctx, s.action, o)
	f.disconnect()
	if err != nil {
		return err
	}
	if s.name == stepUnlock && f.agreed != nil {
		f.agreed.unlocks = true
	}
	f.result.Steps = append(f.result.Steps, ExitStep{s.name, result})
	return nil
}

// confirm has the whole exit agreed to, once.
func (f *exitFlow) confirm(ctx context.Context, s *step) error {
	if f.asked {
		return nil
	}
	f.asked = true
	if s.name == stepUnlock {
		f.note("The deposit and the reserve unlock together, and leave together. Your tickets")
		f.note("stay redeemable until then; shortly before, recipients take no more of them.")
	}
	if f.o.Keep != nil {
		f.note("At the end %s of deposit and %s of reserve are put back.", f.o.Keep.Deposit, f.o.Keep.Reserve)
	}
	if f.o.Agreed {
		return nil
	}
	return f.UI.Confirm(ctx, f.question())
}

// question is what a person agrees to.
func (f *exitFlow) question() string {
	if f.agreed == nil {
		return "Go on with the exit?"
	}
	return fmt.Sprintf("Take %s of deposit and %s of reserve out, to %s?", f.agreed.deposit, f.agreed.reserve, common.Address(f.result.Account))
}

// explain adds to an error what was done before it.
func (f *exitFlow) explain(err error) error {
	var waits *RoundsError
	if len(f.result.Steps) == 0 || errors.As(err, &waits) {
		return err
	}
	last := f.result.Steps[len(f.result.Steps)-1]
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
func (f *exitFlow) reportUnlock(ctx context.Context) {
	unlock, err := f.journal.Resume(ctx, common.Address(f.result.Account), "", tx.LabelUnlock)
	if err != nil || unlock == nil {
		return // it is another run's, or what is wrong with the journal shows at the next step
	}
	_ = f.journal.End(ctx, unlock, !unlock.State.Unsettled()) // as before
}

// wait waits until the funds can be withdrawn. A node that does not answer meanwhile is
// asked again.
func (f *exitFlow) wait(ctx context.Context, status *chain.Status) error {
	at, known := status.WithdrawTime()
	waits := &RoundsError{Round: status.Sender.WithdrawRound.String()}
	if known {
		waits.At = at
	}
	if f.o.NoWait {
		return waits
	}
	if err := f.confirm(ctx, &step{name: stepWithdraw}); err != nil {
		return err
	}
	f.note("%s; waiting (it is round %v now)", waits, status.Round.Current)
	text := fmt.Sprintf("waiting for round %v", status.Sender.WithdrawRound)
	if known {
		text += ", until about " + at.Local().Format("Mon 15:04")
	}
	defer f.UI.Progress(func() string { return text })()
	for status.Lock() == broker.Unlocking && f.agreed.check(status) == nil {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(f.o.Interval):
		}
		now, err := f.status(ctx)
		switch {
		case err == nil:
			status = now
		case errors.Is(err, chain.ErrUnreachable) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			f.note("%v; asking again", err)
		default:
			return err
		}
	}
	return nil
}

// status is where the account stands, as a node says that is up to date.
func (f *exitFlow) status(ctx context.Context) (*chain.Status, error) {
	ctx, cancel := f.bound(ctx)
	defer cancel()
	// Rounds may pass until the next look: no connection is kept.
	defer f.disconnect()
	s, err := f.look(ctx, common.Address(f.result.Account))
	if err != nil {
		return nil, err
	}
	return s.status, s.client.UpToDate(s.status.Head)
}

// next finds the next step, nil when the exit is finished. It is decided by the chain,
// and by the journal where the chain does not tell: after the withdrawal, and after
// what was kept was put back.
func (f *exitFlow) next(ctx context.Context) (*step, error) {
	if f.did(stepKeep) {
		return nil, nil
	}
	status, err := f.status(ctx)
	if err != nil {
		return nil, err
	}
	state := status.Lock()
	if state != broker.Empty && f.agreed == nil {
		f.agreed = termsOf(status)
		if status.Sender.Unlocking() {
			f.reportUnlock(ctx)
		}
	}
	// A withdrawal that was found done may be one of long ago: the funds tell.
	if f.did(stepWithdraw) && f.o.Keep == nil && state != broker.Unlocked {
		return nil, nil
	}
	withdrawal, keeping, died, err := f.journaled(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case died != nil && died == keeping:
		return f.restoreKept(withdrawal), nil
	case died != nil && (state == broker.Empty || died.State == tx.Open):
		return f.withdraw(), nil
	case state == broker.Empty && f.o.Keep != nil && withdrawal != nil && withdrawal.State == tx.Mined && keeping == nil:
		return f.restoreKept(withdrawal), nil
	}
	if err := f.agreed.check(status); err != nil {
		return nil, err
	}
	if state == broker.Empty {
		if f.o.Keep != nil {
			return nil, hint.With(ErrNothingToTake, "to put funds back after an exit that kept other amounts: pmctl fund")
		}
		return nil, ErrNothingToTake
	}
	f.agreed.noteUnlock(status)
	// Before each step that cannot be taken back: winners may be paid while it waits.
	if err := f.checkKept(status); err != nil {
		return nil, err
	}
	switch state {
	case broker.Locked:
		return &step{name: stepUnlock, action: Unlock()}, nil
	case broker.Unlocking:
		if err := f.wait(ctx, status); err != nil {
			return nil, err
		}
		return f.next(ctx)
	default:
		return f.withdraw(), nil
	}
}

// checkKept fails when more is to be put back than will come out.
func (f *exitFlow) checkKept(status *chain.Status) error {
	if f.o.Keep == nil {
		return nil
	}
	keep, err := f.o.Keep.Deposit.Add(f.o.Keep.Reserve)
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

func (f *exitFlow) withdraw() *step {
	a := Withdraw()
	a.label = f.withdrawLabel()
	return &step{name: stepWithdraw, action: a}
}

// withdrawLabel tells the withdrawal of an exit that keeps something from one that does
// not: what follows is another thing.
func (f *exitFlow) withdrawLabel() tx.Label {
	if f.o.Keep == nil {
		return tx.LabelWithdraw
	}
	return tx.WithdrawKeepingLabel(f.o.Keep.Deposit, f.o.Keep.Reserve)
}

// restoreKept funds what was to be kept. Its request id is the withdrawal's: however many
// runs come to this step, it is taken once.
func (f *exitFlow) restoreKept(withdrawal *tx.Intent) *step {
	a := f.Funding(Funding{Deposit: f.o.Keep.Deposit, Reserve: f.o.Keep.Reserve, CancelUnlock: true}, false)
	return &step{name: stepKeep, action: a, requestID: keepID(withdrawal)}
}

func keepID(withdrawal *tx.Intent) string { return "after withdrawal " + withdrawal.ID }

// journaled returns the last withdrawal of such an exit and what was put back after it,
// nil for what there is not, and which of the two a run worked on that died before it
// reported how it went.
func (f *exitFlow) journaled(ctx context.Context) (withdrawal, keeping, died *tx.Intent, err error) {
	intents, err := f.journal.Intents(ctx, common.Address(f.result.Account))
	if err != nil {
		return nil, nil, nil, err
	}
	for _, i := range intents { // the newest first
		if i.Label == f.withdrawLabel() && i.RequestID == "" {
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
	gone, err := f.journal.Died(ctx, last)
	if gone && !f.did(stepOf(last, keeping)) {
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
