package wallet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pmctl/pmctl/internal/clock"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store"
)

// SendOptions are the parameters of Do.
type SendOptions struct {
	// RequestID makes the action idempotent: the same ID resumes the same transaction and never
	// sends a second one. "" identifies the action by its content.
	RequestID string

	// Agreed reports whether the user agrees to the transaction: no question is asked.
	Agreed bool

	// Terms are what the user agrees to about the account's other transactions.
	Terms Terms

	WaitOptions
}

// WaitOptions are how to wait for a transaction, and how to report it.
type WaitOptions struct {
	// NoWait returns once the transaction is sent. Otherwise Confirmations is the number of blocks
	// to wait for, its own included; 0 is 1.
	NoWait        bool
	Confirmations uint64

	// Report, if set, shows the result to the user. The transaction counts as reported once Report
	// returns nil: until then, the same action resumes it.
	Report func(Transaction) error
}

// Do sends an action once: it resumes an unfinished transaction of the same action, or sends a new
// one. Besides ErrNoAccount, ErrNoStore and ErrRequestID, its errors tell by their class (see ClassOf) what can be
// done: ClassRefused, ClassLimit and ClassFunds if nothing was sent, ClassPending if other
// transactions of the account wait, and ClassNotMined, ClassOutcomeUnknown and ClassUnreported if
// it was sent, or may have been.
func (w *Wallet) Do(ctx context.Context, a Action, o SendOptions) (Transaction, error) {
	if err := w.requireAccount(); err != nil {
		return Transaction{}, err
	}
	if _, err := named(o.RequestID, ""); err != nil {
		return Transaction{}, err
	}
	bounded, cancel := w.bound(ctx)
	defer cancel()
	s, err := w.lookFor(bounded, w.Account.Address(), a)
	if err != nil {
		return Transaction{}, err
	}
	t := &sendFlow{action: a, o: o}
	t.pendingTx = pendingTx{Wallet: w, situation: s, WaitOptions: o.WaitOptions, withPending: o.Terms.WithPending, report: a.report,
		intent: &tx.Intent{RequestID: o.RequestID, Label: a.label}}
	result, err := t.do(ctx, bounded)
	if t.intent.ID != "" {
		err = t.end(ctx, t.warnIfRestored(ctx, err))
	}
	return result, err
}

type sendFlow struct {
	// The intent has an ID once it is in the journal. others are shown to the user.
	pendingTx
	action Action
	o      SendOptions
	// resumed reports that an earlier run began the intent.
	resumed bool
}

// do takes the caller's context, and one that the wallet's timeout limits, too.
func (t *sendFlow) do(caller, ctx context.Context) (Transaction, error) {
	err := t.continued(ctx)
	switch {
	case err != nil:
	case t.resumed:
		err = t.resume(caller, ctx)
	default:
		err = t.send(caller, ctx)
		if errors.Is(err, tx.ErrTaken) {
			err = t.continued(ctx)
		}
	}
	if err != nil {
		return Transaction{}, err
	}
	return t.finish(caller)
}

// continued makes an earlier run's intent of the same action this run's, if there is one.
func (t *sendFlow) continued(ctx context.Context) error {
	for {
		intent, err := t.journal.Resume(ctx, t.account, t.o.RequestID, t.action.label)
		if err != nil || intent == nil {
			return err
		}
		old, err := t.old(ctx, intent)
		if err != nil || !old {
			t.intent, t.resumed = intent, true
			return err
		}
		if err := t.journal.End(ctx, intent, true); err != nil {
			return err
		}
	}
}

// old reports whether an intent is of an earlier command: it was done, and undone since. A request
// ID names one command for ever.
func (t *sendFlow) old(ctx context.Context, intent *tx.Intent) (bool, error) {
	if t.o.RequestID != "" || t.action.undone == nil || !t.action.undone(t.status.Sender.Funds) {
		return false, nil
	}
	return t.manager(t.client).Done(ctx, intent, t.status.Head.Number)
}

// resume continues the transaction of an earlier run. One that a node refused is signed again, with
// the same nonce.
func (t *sendFlow) resume(caller, ctx context.Context) error {
	t.note("resuming transaction %s, signed by an earlier run at %s; no second one is sent",
		t.intent.Newest().Hash(), t.intent.CreatedAt.Format(time.RFC3339))
	if t.intent.State == tx.Refused {
		if err := t.checkOthers(ctx); err != nil {
			return err
		}
		if err := t.journal.Reload(ctx, t.intent); err != nil {
			return err
		}
	}
	switch {
	case t.intent.State == tx.Refused && !t.nonceContested():
		err := t.send(caller, ctx)
		if errors.Is(err, tx.ErrChanged) || errors.Is(err, tx.ErrHeld) {
			return nil // another run was faster; waiting shows the result
		}
		return err
	case t.intent.State == tx.Open && t.NoWait:
		return t.manager(t.client).Resend(ctx, t.intent)
	}
	return nil
}

// nonceContested reports whether another pending transaction of the account has the nonce of one
// that was refused. Then the chain decides first.
func (t *sendFlow) nonceContested() bool {
	return slices.ContainsFunc(t.others, func(i *tx.Intent) bool { return i.State == tx.Open && i.Nonce == t.intent.Nonce })
}

// checkOthers reads the account's other transactions that may still be mined, and fails unless the
// user agrees to send another one.
func (t *sendFlow) checkOthers(ctx context.Context) error {
	if err := t.manager(t.client).CatchUp(ctx, t.account); err != nil {
		return err
	}
	queue, err := t.journal.Queue(ctx, t.account)
	if err != nil {
		return err
	}
	queue = queue.Without(t.intent)
	t.others = append(queue.Open, queue.Refused...)
	if slices.ContainsFunc(t.others, func(i *tx.Intent) bool { return i.RequestID != "" && i.RequestID == t.intent.RequestID }) {
		return tx.ErrTaken // another run has begun the request meanwhile
	}
	return t.o.Terms.Agree(queue)
}

// send simulates and prices the call, asks the user, signs and submits it, in this order.
func (t *sendFlow) send(caller, ctx context.Context) error {
	if err := t.checkOthers(ctx); err != nil {
		return err
	}
	prepared, proposal, err := t.prepare(ctx, t.situation, t.action)
	if err != nil {
		return err
	}
	t.show(prepared, proposal.say)
	looked := t.Now()
	// The node's timeout does not run while the user thinks.
	if err := t.confirm(caller, proposal.ask); err != nil {
		return err
	}
	key, err := t.Account.Unlock(caller)
	if err != nil {
		return err
	}
	defer t.Account.Close() // waiting needs no key
	if err := caller.Err(); err != nil {
		return err
	}
	if !t.o.Agreed || !clock.Within(t.Now(), looked, lookAgainAfter) {
		if prepared, err = t.agreeAgain(caller, prepared, proposal); err != nil {
			return err
		}
	}
	ctx, cancel := t.bound(caller)
	defer cancel()
	terms := t.o.Terms
	if !t.o.Agreed {
		terms.Seen = t.others
	}
	m := t.manager(t.client)
	m.Signer = key
	return m.Submit(ctx, prepared, t.intent, terms)
}

func (t *sendFlow) confirm(ctx context.Context, question string) error {
	if t.o.Agreed {
		return nil
	}
	return t.UI.Confirm(ctx, question)
}

func (t *sendFlow) show(p *tx.Prepared, say []string) {
	t.showPrepared(t.client.Network(), p)
	for _, i := range t.others {
		if i.State == tx.Refused {
			t.note("refused   %s, which may still be mined", i.Describe())
		} else {
			t.note("pending   %s, which will be mined as well", i.Describe())
		}
	}
	for _, sentence := range say {
		t.note("%s", sentence)
	}
}

func (w *Wallet) showPrepared(network chain.Network, p *tx.Prepared) {
	w.note("network   %s (chain ID %d)", network.Name, network.ChainID)
	w.note("account   %s", p.From)
	w.note("contract  TicketBroker at %s", p.To)
	w.note("gas       at most %s", p.MaxFee)
}

// finish waits until the transaction is mined, unless NoWait is set, and reports the result. If
// another program's transaction used the nonce, it sends the action again with a new one.
func (t *sendFlow) finish(caller context.Context) (Transaction, error) {
	retry := t.intent.State == tx.Lost // the user saw that, and ran the command again
	for {
		ctx, cancel := t.bound(caller)
		result, err := t.await(ctx)
		cancel()
		var lost *tx.LostError
		if !errors.As(err, &lost) || t.Account.Source() == nil && !t.Account.Reopens() {
			return result, err
		}
		if _, unknown := t.journal.Find(caller, lost.By); unknown != nil && !retry {
			return result, err
		}
		retry = false
		t.note("nonce %d was used by transaction %s; signing again with a new nonce", lost.Nonce, lost.By)
		if err := t.resendWithNewNonce(caller); err != nil && !errors.Is(err, tx.ErrChanged) {
			return result, err
		}
	}
}

func (t *sendFlow) resendWithNewNonce(caller context.Context) error {
	ctx, cancel := t.bound(caller)
	defer cancel()
	if err := t.lookAgain(ctx); err != nil {
		return err
	}
	return t.send(caller, ctx)
}

func (t *sendFlow) lookAgain(ctx context.Context) (err error) {
	t.situation, err = t.lookFor(ctx, t.account, t.action)
	return err
}

// warnIfRestored adds to a resumed transaction's error that the restored store may lack a later
// transaction of the same command.
func (t *sendFlow) warnIfRestored(ctx context.Context, err error) error {
	if err == nil || !t.resumed || leavesOpen(err) {
		return err
	}
	restored, lookErr := t.store.Restored(context.WithoutCancel(ctx))
	if restored != nil {
		lookErr = &store.UnacknowledgedError{Restored: *restored}
	}
	if lookErr != nil {
		return fmt.Errorf("%w; %w", err, lookErr)
	}
	return err
}
