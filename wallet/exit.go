package wallet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ExitOptions are the parameters of Exit.
type ExitOptions struct {
	// Keep is added to the contract again at the end; nil for nothing.
	Keep *Kept

	// Interval is the time between two looks at the chain while rounds pass; DefaultInterval if it
	// is 0 or less.
	Interval time.Duration

	// SendOptions apply to each of the transactions. With NoWait, Exit returns instead of waiting
	// for rounds. RequestID and Report are not used: an exit that is run again resumes.
	SendOptions
}

// DefaultInterval is about the time between two L1 blocks.
const DefaultInterval = 12 * time.Second

// Exit is the result of an exit.
type Exit struct {
	Account format.Address `json:"sender"`
	// Steps are the transactions of this run and of earlier, interrupted ones, in order.
	Steps []ExitStep `json:"steps"`
	// Kept is what was added to the contract again.
	Kept *Kept `json:"kept,omitempty"`
	// WithdrawRound is the round that an exit waits for, and ReadyAt about when it begins, if that
	// is known. Both are nil once the exit is finished.
	WithdrawRound *format.BigNum `json:"withdraw_round,omitempty"`
	ReadyAt       *time.Time     `json:"ready_at,omitempty"`
}

// ExitStep is one transaction of an exit.
type ExitStep struct {
	// Step is "unlock", "withdraw" or "keep".
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

var (
	// ErrNothingToTake is returned if the account has neither deposit nor reserve.
	ErrNothingToTake = errors.New("nothing to withdraw: deposit and reserve are 0")
	// ErrSignsAgain is returned if the account's key would be gone before the withdrawal.
	ErrSignsAgain = errors.New("an exit that waits signs more than once, and the account's key can be opened only once: use signer.KeyFile or signer.Later")
)

type exitFlow struct {
	*Wallet
	o      ExitOptions
	result Exit
	asked  bool
	agreed *terms // nil if the account was empty at the first look
}

// Exit withdraws the deposit and the reserve: it unlocks them, waits for the unlock period to end,
// withdraws, and adds what is to be kept again. Run again, it resumes where it stopped. It returns
// *ChangedError if the account has changed since the user agreed, *RoundsError with the result so far
// if NoWait is set and the unlock period has not ended, ErrNothingToTake, ErrSignsAgain, and the errors
// of Do.
func (w *Wallet) Exit(ctx context.Context, o ExitOptions) (Exit, error) {
	if err := w.requireAccount(); err != nil {
		return Exit{}, err
	}
	if !o.NoWait && !w.Account.Reopens() {
		return Exit{}, ErrSignsAgain
	}
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	f := &exitFlow{Wallet: w, o: o}
	f.result.Account, f.result.Steps = format.Address(w.Account.Address()), []ExitStep{}
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

// did reports whether this run has taken a step, or has found it done.
func (f *exitFlow) did(step string) bool {
	return slices.ContainsFunc(f.result.Steps, func(s ExitStep) bool { return s.Step == step })
}

type step struct {
	name      string
	action    Action
	requestID string
}

// send sends the step's transaction, or resumes it, and waits until it is mined.
func (f *exitFlow) send(ctx context.Context, s *step) error {
	if err := f.confirm(ctx, s); err != nil {
		return err
	}
	if plan := s.action.plan; s.name != stepKeep {
		// The last check before anything is signed.
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

func (f *exitFlow) confirm(ctx context.Context, s *step) error {
	if f.asked {
		return nil
	}
	f.asked = true
	if s.name == stepUnlock {
		f.note("Deposit and reserve unlock and are withdrawn together.")
		f.note(redeemedUntil)
	}
	if f.o.Keep != nil {
		f.note("At the end, %s of deposit and %s of reserve are added again.", f.o.Keep.Deposit, f.o.Keep.Reserve)
	}
	if f.o.Agreed {
		return nil
	}
	return f.UI.Confirm(ctx, f.question())
}

func (f *exitFlow) question() string {
	if f.agreed == nil {
		return "Continue the exit?"
	}
	return fmt.Sprintf("Withdraw %s of deposit and %s of reserve to %s?", f.agreed.deposit, f.agreed.reserve, common.Address(f.result.Account))
}

// explain adds the last finished step to an error. An exit has no request IDs, which hints of its
// steps name.
func (f *exitFlow) explain(err error) error {
	if other := new(tx.InProgressError); errors.As(err, &other) {
		err = hint.With(err, "wait for it: pmctl tx wait %s; then run the same command again", other.Intent.Hash())
	}
	if len(f.result.Steps) == 0 || errors.As(err, new(*RoundsError)) {
		return err
	}
	last := f.result.Steps[len(f.result.Steps)-1]
	return fmt.Errorf("step %s is done (transaction %s), then: %w", last.Step, last.Transaction.Hash, err)
}

// RoundsError is returned by an exit that has to wait for rounds and may not.
type RoundsError struct {
	Round string
	At    time.Time // zero if unknown

	// Pending describes the account's transactions that are not mined yet. One may end the unlock, or
	// add to the funds.
	Pending []string
}

func (e *RoundsError) Error() string {
	text := "deposit and reserve are unlocking; they can be withdrawn from round " + e.Round
	if !e.At.IsZero() {
		text += ", about " + e.At.UTC().Format(time.RFC3339)
	}
	if len(e.Pending) > 0 {
		text += "; not mined yet, and may change that: " + strings.Join(e.Pending, ", ")
	}
	return text
}

// Hint says what can be done.
func (e *RoundsError) Hint() string { return "run the same command again after that" }

// wait waits until the funds can be withdrawn. It tolerates a node or a store that does not answer
// meanwhile.
func (f *exitFlow) wait(ctx context.Context, status *chain.Status) error {
	at, known := status.WithdrawTime()
	waits := &RoundsError{Round: status.Sender.WithdrawRound.String()}
	if known {
		waits.At = at
	}
	queue, err := f.journal.Queue(ctx, common.Address(f.result.Account))
	if err != nil {
		return err
	}
	for _, intent := range queue.Open {
		waits.Pending = append(waits.Pending, intent.Describe())
	}
	if f.o.NoWait {
		round := format.NewBigNum(status.Sender.WithdrawRound)
		if f.result.WithdrawRound = &round; known {
			utc := at.UTC()
			f.result.ReadyAt = &utc
		}
		return waits
	}
	if err := f.confirm(ctx, &step{name: stepWithdraw}); err != nil {
		return err
	}
	f.note("%s; waiting (current round: %v)", waits, status.Round.Current)
	text := fmt.Sprintf("waiting for round %v", status.Sender.WithdrawRound)
	if known {
		text += ", until about " + at.UTC().Format(time.RFC3339)
	}
	defer f.UI.Progress(func() string { return text })()
	for status.Lock() == broker.Unlocking && f.agreed.check(status) == nil {
		if pause(ctx, f.o.Interval); ctx.Err() != nil {
			return hint.With(context.Cause(ctx), "the unlock continues without pmctl: run the same command again to withdraw, or pmctl unlock cancel")
		}
		now, err := f.status(ctx)
		switch {
		case err == nil:
			status = now
		case isAny(err, chain.ErrUnreachable, store.ErrUnreachable, store.ErrBusy) || errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			f.note("%v; asking again", err)
		default:
			return err
		}
	}
	return nil
}

// status reads the account's state from a node that is up to date. The journal learns first what the
// chain shows of its transactions, so that a step that it has as open is not in that state.
func (f *exitFlow) status(ctx context.Context) (*chain.Status, error) {
	ctx, cancel := f.bound(ctx)
	defer cancel()
	// Rounds may pass until the next look, so no connection is kept.
	defer f.disconnect()
	client, err := f.connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := f.manager(client).CatchUp(ctx, common.Address(f.result.Account)); err != nil {
		return nil, err
	}
	s, err := f.look(ctx, common.Address(f.result.Account))
	if err != nil {
		return nil, err
	}
	return s.status, s.client.UpToDate(s.status.Head)
}

// next returns the next step, nil when the exit is finished. The chain decides, and the journal
// where the chain cannot show it: after the withdrawal, and after the kept funds were added again.
func (f *exitFlow) next(ctx context.Context) (*step, error) {
	if f.did(stepKeep) {
		return nil, nil
	}
	status, err := f.status(ctx)
	if ctx.Err() != nil && f.did(stepWithdraw) && f.o.Keep == nil {
		// A signal undoes no withdrawal: this look shows whether the exit is finished.
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
		defer cancel()
		status, err = f.status(last)
	}
	if err != nil {
		return nil, err
	}
	state := status.Lock()
	if state != broker.Empty && f.agreed == nil {
		f.agreed = termsOf(status)
	}
	// A withdrawal in the journal may be an old one: the account's funds decide.
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
			return nil, hint.With(ErrNothingToTake, "pmctl tx list --all shows earlier withdrawals")
		}
		return nil, ErrNothingToTake
	}
	f.agreed.noteUnlock(status)
	// Before each step that cannot be undone: winners may have been paid in the meantime.
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
	return hint.With(fmt.Errorf("%w: %s is to be kept, but deposit and reserve are %s together", tx.ErrInsufficientFunds, keep, held),
		"keep at most %s in all; pmctl fund can add more afterwards", held)
}

func (f *exitFlow) withdraw() *step {
	a := Withdraw()
	a.label = f.withdrawLabel()
	return &step{name: stepWithdraw, action: a}
}

// withdrawLabel gives an exit that keeps something another label, since other steps follow it.
func (f *exitFlow) withdrawLabel() tx.Label {
	if f.o.Keep == nil {
		return tx.LabelWithdraw
	}
	return tx.WithdrawKeepingLabel(f.o.Keep.Deposit, f.o.Keep.Reserve)
}

// restoreKept funds what is to be kept. Its request ID is derived from the withdrawal, so that it
// is sent once however many runs reach this step.
func (f *exitFlow) restoreKept(withdrawal *tx.Intent) *step {
	a := f.Funding(Funding{Deposit: f.o.Keep.Deposit, Reserve: f.o.Keep.Reserve, CancelUnlock: true}, false)
	return &step{name: stepKeep, action: a, requestID: keepID(withdrawal)}
}

func keepID(withdrawal *tx.Intent) string { return "after withdrawal " + withdrawal.ID }

// journaled returns the newest withdrawal of such an exit and the funding that followed it, nil if
// there is none, and which of the two was sent by a run that died before it reported.
func (f *exitFlow) journaled(ctx context.Context) (withdrawal, keeping, died *tx.Intent, err error) {
	intents, err := f.journal.Intents(ctx, common.Address(f.result.Account))
	if err != nil {
		return nil, nil, nil, err
	}
	find := func(is func(*tx.Intent) bool) *tx.Intent {
		if at := slices.IndexFunc(intents, is); at >= 0 { // newest first
			return intents[at]
		}
		return nil
	}
	withdrawal = find(func(i *tx.Intent) bool { return i.Label == f.withdrawLabel() && i.RequestID == "" })
	if withdrawal == nil {
		return nil, nil, nil, nil
	}
	keeping = find(func(i *tx.Intent) bool { return i.RequestID == keepID(withdrawal) })
	last := cmp.Or(keeping, withdrawal)
	gone, err := f.journal.Died(ctx, last)
	step := stepWithdraw
	if keeping != nil {
		step = stepKeep
	}
	if gone && !f.did(step) {
		died = last
	}
	return withdrawal, keeping, died, err
}
