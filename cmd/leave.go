package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

type exitOptions struct {
	transactOptions
	keepDeposit, keepReserve string
	interval                 time.Duration
}

func newExit(r *run) *cobra.Command {
	var o exitOptions
	cmd := &cobra.Command{
		Use:   "exit",
		Short: "Take the deposit and the reserve out, whole",
		Long: `Exit unlocks the deposit and the reserve, waits until they can be withdrawn, and
withdraws them. They leave together: the contract knows no partial withdrawal.
Until then your tickets can be redeemed, and what they win is paid. With
--keep-deposit or --keep-reserve that much is put back at the end: no more than
comes out.

Exit takes out what is there when it asks, or when it starts with --yes. If its
unlock is cancelled or the funds grow before the round comes, it asks again; or,
with --yes, it stops with exit code 3.

It can be interrupted at any moment, and run again: it goes on where it was, and
does nothing twice. With --no-wait it does what can be done now, and ends with
exit code 8 when the rest has to wait; run it again at the time that it names.`,
		Example: `  pmctl exit
  pmctl exit --yes --no-wait
  pmctl exit --keep-deposit 0.05eth --keep-reserve 0.05eth`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.exit(cmd, &o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.keepDeposit, "keep-deposit", "", "`AMOUNT` to put back into the deposit at the end")
	flags.StringVar(&o.keepReserve, "keep-reserve", "", "`AMOUNT` to put back into the reserve at the end")
	flags.DurationVar(&o.interval, "interval", 12*time.Second, "`TIME` from one look at the chain to the next while waiting for rounds")
	flags.BoolVar(&o.mining.noWait, "no-wait", false, "do not wait for rounds: end with exit code 8, and say when to come back")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	o.network.register(cmd)
	o.network.registerContracts(cmd)
	o.account.register(cmd)
	o.fees.register(cmd)
	o.mining.registerConfirmations(cmd)
	o.store.register(cmd)
	o.pending.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}

// exitResult is what pmctl exit answers.
type exitResult struct {
	Account format.Address `json:"account"`
	// Steps are what was done, or found done by a run that had died, in order.
	Steps []exitStep `json:"steps"`
	// Kept is what was put back.
	Kept *keptFunds `json:"kept,omitempty"`
}

type exitStep struct {
	// Step is unlock, withdraw or keep.
	Step        string            `json:"step"`
	Transaction transactionResult `json:"transaction"`
}

type keptFunds struct {
	Deposit wei.Wei `json:"deposit"`
	Reserve wei.Wei `json:"reserve"`
}

func (e exitResult) write(w io.Writer) error {
	for i, s := range e.Steps {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := writeFields(w, []field{{"step", s.Step}}); err != nil {
			return err
		}
		if err := s.Transaction.write(w); err != nil {
			return err
		}
	}
	return nil
}

// leaving is an exit under way.
type leaving struct {
	*run
	cmd     *cobra.Command
	options *exitOptions
	keep    *keptFunds // nil for nothing
	result  exitResult
	asked   bool
	agreed  *terms // nil when nothing was there at the first look
}

func (r *run) exit(cmd *cobra.Command, o *exitOptions) error {
	l := &leaving{run: r, cmd: cmd, options: o}
	if o.interval <= 0 {
		return usagef("--interval %s: it must be more than 0", o.interval)
	}
	if o.account.keys.fd.given {
		return usagef("--key-fd: an exit signs more than once, rounds apart, and a descriptor can be read once: use a key file, or pmctl unlock and pmctl withdraw")
	}
	var keep keptFunds
	var err error
	if keep.Deposit, err = parseAmount("--keep-deposit", o.keepDeposit); err != nil {
		return err
	}
	if keep.Reserve, err = parseAmount("--keep-reserve", o.keepReserve); err != nil {
		return err
	}
	if !keep.Deposit.IsZero() || !keep.Reserve.IsZero() {
		l.keep = &keep
	}
	address, err := o.account.address(cmd.Context(), r.Env)
	if err != nil {
		return err
	}
	l.result.Account = format.Address(address)
	network, err := o.network.chooseNetwork(r.Env)
	if err != nil {
		return err
	}
	if l.options.journal, err = r.openJournal(cmd.Context(), &o.store, network); err != nil {
		return err
	}
	// After everything else: a run that dies before has told nobody what it did.
	defer l.options.journal.close()
	for {
		next, err := l.next(cmd.Context())
		if err == nil && next == nil {
			break
		}
		if err == nil {
			err = l.take(next)
		}
		if changed := new(changedError); errors.As(err, &changed) {
			err = l.agreeAgain(changed)
		}
		if err != nil {
			return l.explain(err)
		}
	}
	l.result.Kept = l.keep
	return r.emitDone("the exit is finished", "pmctl.exit", l.result, l.result.write)
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
	action    action
	requestID string
}

// take sends the step's transaction, or goes on with it, and waits until it is mined.
func (l *leaving) take(s *step) error {
	if err := l.ask(s); err != nil {
		return err
	}
	var result transactionResult
	s.action.into = &result
	if plan := s.action.plan; s.name != stepKeep {
		// The last look before anything is signed.
		s.action.plan = func(ctx context.Context, now situation) (proposal, error) {
			if err := l.agreed.check(now.status); err != nil {
				return proposal{}, err
			}
			return plan(ctx, now)
		}
	}
	o := l.options.transactOptions
	o.yes, o.requestID, o.mining.noWait = true, s.requestID, false
	if err := l.transact(l.cmd, &o, s.action); err != nil {
		return err
	}
	if s.name == stepUnlock && l.agreed != nil {
		l.agreed.unlocks = true
	}
	l.result.Steps = append(l.result.Steps, exitStep{s.name, result})
	return nil
}

// ask has the whole exit agreed to, once.
func (l *leaving) ask(s *step) error {
	if l.asked {
		return nil
	}
	l.asked = true
	if s.name == stepUnlock {
		l.note("The deposit and the reserve unlock together, and leave together. Your tickets")
		l.note("stay redeemable until then; shortly before, recipients take no more of them.")
	}
	if l.keep != nil {
		l.note("At the end %s of deposit and %s of reserve are put back.", l.keep.Deposit, l.keep.Reserve)
	}
	return l.confirm(l.cmd.Context(), l.options.yes, l.question())
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
	var waits *roundsError
	if len(l.result.Steps) == 0 || errors.As(err, &waits) {
		return err
	}
	last := l.result.Steps[len(l.result.Steps)-1]
	return fmt.Errorf("after step %s, which is done (transaction %s): %w", last.Step, last.Transaction.Hash, err)
}

// roundsError is an exit that has to wait for rounds.
type roundsError struct {
	round string
	at    time.Time // zero where that cannot be told
}

func (e *roundsError) Error() string {
	text := "the deposit and the reserve are unlocking, and can be withdrawn from round " + e.round + " on"
	if !e.at.IsZero() {
		text += ", at about " + e.at.UTC().Format(time.RFC3339)
	}
	return text
}

// Hint says how to go on.
func (e *roundsError) Hint() string { return "run the same command again then" }

// reportUnlock marks the unlock of an earlier run that could not report it as reported:
// the exit continues behind it. Otherwise the next exit would take it for its own.
func (l *leaving) reportUnlock(ctx context.Context) {
	journal := l.options.journal
	unlock, err := journal.Resume(ctx, common.Address(l.result.Account), "", tx.LabelUnlock)
	if err != nil || unlock == nil {
		return // it is another run's, or what is wrong with the journal shows at the next step
	}
	_ = journal.End(ctx, unlock, !unlock.State.Unsettled()) // as before
}

// wait waits until the funds can be withdrawn. A node that does not answer meanwhile is
// asked again.
func (l *leaving) wait(ctx context.Context, status *chain.Status) error {
	at, known := status.WithdrawTime()
	waits := &roundsError{round: status.Sender.WithdrawRound.String()}
	if known {
		waits.at = at
	}
	if l.options.mining.noWait {
		return waits
	}
	if err := l.ask(&step{name: stepWithdraw}); err != nil {
		return err
	}
	l.note("%s; waiting (it is round %v now)", waits, status.Round.Current)
	until := ""
	if known {
		until = ", until about " + at.Local().Format("Mon 15:04")
	}
	defer l.waiting("waiting for round %v%s", status.Sender.WithdrawRound, until)()
	for lockState(status) == lockUnlocking && l.agreed.check(status) == nil {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(l.options.interval):
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
	ctx, cancel, err := l.options.network.bound(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	client, err := l.dialPinned(ctx, &l.options.network, l.options.journal.store)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	status, err := client.Status(ctx, common.Address(l.result.Account))
	if err != nil {
		return nil, err
	}
	return status, client.UpToDate(status.Head)
}

// The steps of an exit.
const (
	stepUnlock   = "unlock"
	stepWithdraw = "withdraw"
	stepKeep     = "keep"
)

// errNothingToTake is returned for an exit of an account that has nothing in the
// contract.
var errNothingToTake = errors.New("there is nothing to take out: deposit and reserve are 0")

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
	state := lockState(status)
	if state != lockEmpty && l.agreed == nil {
		l.agreed = termsOf(status)
		if status.Sender.Unlocking() {
			l.reportUnlock(ctx)
		}
	}
	// A withdrawal that was found done may be one of long ago: the funds tell.
	if l.did(stepWithdraw) && l.keep == nil && state != lockUnlocked {
		return nil, nil
	}
	withdrawal, keeping, died, err := l.journaled(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case died != nil && died == keeping:
		return l.putBack(withdrawal), nil
	case died != nil && (state == lockEmpty || died.State == tx.Open):
		return l.withdraw(), nil
	case state == lockEmpty && l.keep != nil && withdrawal != nil && withdrawal.State == tx.Mined && keeping == nil:
		return l.putBack(withdrawal), nil
	}
	if err := l.agreed.check(status); err != nil {
		return nil, err
	}
	if state == lockEmpty {
		if l.keep != nil {
			return nil, withHint(errNothingToTake, "to put funds back after an exit that kept other amounts: pmctl fund")
		}
		return nil, errNothingToTake
	}
	l.agreed.see(status)
	// Before each step that cannot be taken back: winners may be paid while it waits.
	if err := l.keepsTooMuch(status); err != nil {
		return nil, err
	}
	switch state {
	case lockLocked:
		return &step{name: stepUnlock, action: unlockAction()}, nil
	case lockUnlocking:
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
	if l.keep == nil {
		return nil
	}
	keep, err := l.keep.Deposit.Add(l.keep.Reserve)
	if err != nil {
		return &usageError{err}
	}
	held, err := status.Sender.Deposit.Add(status.Sender.Reserve)
	if err != nil || keep.Cmp(held) <= 0 {
		return err
	}
	return withHint(fmt.Errorf("%w: %s are to be kept, and deposit and reserve are %s together", tx.ErrInsufficientFunds, keep, held),
		"keep less: at most %s in all; pmctl fund adds more afterwards", held)
}

func (l *leaving) withdraw() *step {
	a := withdrawAction()
	a.label = l.withdrawLabel()
	return &step{name: stepWithdraw, action: a}
}

// withdrawLabel tells the withdrawal of an exit that keeps something from one that does
// not: what follows is another thing.
func (l *leaving) withdrawLabel() tx.Label {
	if l.keep == nil {
		return tx.LabelWithdraw
	}
	return tx.WithdrawKeepingLabel(l.keep.Deposit, l.keep.Reserve)
}

// putBack funds what was to be kept. Its request id is the withdrawal's: however many
// runs come to this step, it is taken once.
func (l *leaving) putBack(withdrawal *tx.Intent) *step {
	total, err := l.keep.Deposit.Add(l.keep.Reserve)
	a := funding{deposit: l.keep.Deposit, reserve: l.keep.Reserve, total: total, cancelsUnlock: true, note: l.note}.action()
	if err != nil {
		a.plan = func(context.Context, situation) (proposal, error) { return proposal{}, err }
	}
	return &step{name: stepKeep, action: a, requestID: keepID(withdrawal)}
}

func keepID(withdrawal *tx.Intent) string { return "after withdrawal " + withdrawal.ID }

// journaled returns the last withdrawal of such an exit and what was put back after it,
// nil for what there is not, and which of the two a run worked on that told nobody how
// it went.
func (l *leaving) journaled(ctx context.Context) (withdrawal, keeping, died *tx.Intent, err error) {
	journal := l.options.journal
	intents, err := journal.Intents(ctx, common.Address(l.result.Account))
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
	gone, err := journal.Died(ctx, last)
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
