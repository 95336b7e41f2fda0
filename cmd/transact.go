package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/redeem"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/tx"
)

// transactOptions are what every command takes that sends a transaction.
type transactOptions struct {
	network   networkOptions
	account   accountOptions
	fees      feeOptions
	mining    miningOptions
	store     storeOptions
	pending   pendingOptions
	requestID string
	dryRun    bool
	unsigned  bool
	yes       bool

	// journal, unless it is nil, is open already, and stays so: the run that it belongs
	// to does more than one thing.
	journal *openJournal
}

func (o *transactOptions) register(cmd *cobra.Command) {
	o.network.register(cmd)
	o.network.registerContracts(cmd)
	o.account.register(cmd)
	o.fees.register(cmd)
	o.mining.register(cmd)
	o.store.register(cmd)
	o.pending.register(cmd)
	cmd.Flags().StringVar(&o.requestID, "request-id", "", "`ID` of your own: the same command with it again continues the same transaction, and never sends a second one")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show the call, what the simulation says, and the highest price; sign and send nothing")
	cmd.Flags().BoolVar(&o.unsigned, "unsigned", false, "write the transaction for pmctl tx sign on another machine; no key is needed here")
	cmd.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "unsigned", "no-wait")
	cmd.MarkFlagsMutuallyExclusive("unsigned", "key-fd")
}

// miningOptions say how long a transaction is waited for.
type miningOptions struct {
	noWait        bool
	confirmations uint64
}

func (o *miningOptions) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.noWait, "no-wait", false, "print the transaction's hash as soon as it is sent, without waiting until it is mined")
	o.registerConfirmations(cmd)
	cmd.MarkFlagsMutuallyExclusive("no-wait", "confirmations")
}

func (o *miningOptions) registerConfirmations(cmd *cobra.Command) {
	cmd.Flags().Uint64Var(&o.confirmations, "confirmations", 1, "wait until this `NUMBER` of blocks has the transaction, its own included")
}

// acting finds the account that acts on the chosen network.
func (o *transactOptions) acting(ctx context.Context, env *Env) (*account, error) {
	network, err := o.network.chooseNetwork(env)
	if err != nil {
		return nil, err
	}
	return o.account.account(ctx, env, network.ChainID)
}

// action is something to do with the TicketBroker contract.
type action struct {
	// label says what: the same thing has the same label.
	label tx.Label
	// plan decides what to send, or refuses.
	plan func(context.Context, situation) (proposal, error)
	// report adds what the contract says that it did to the result of a transaction that
	// was mined.
	report reporter
	// into, unless it is nil, takes the result in place of stdout.
	into *transactionResult
}

type reporter func(context.Context, situation, *types.Receipt, *transactionResult) error

// proposal is a transaction that may be sent.
type proposal struct {
	call tx.Call
	// say is what it will do: a sentence each.
	say []string
	// ask is the question that a person answers.
	ask string
}

// situation is what a command finds before it decides what to send.
type situation struct {
	client  *chain.Client
	status  *chain.Status
	account common.Address
}

// transact does an action once: it goes on with what an earlier run of the same command
// has begun, or begins it.
func (r *run) transact(cmd *cobra.Command, o *transactOptions, a action) error {
	if o.mining.confirmations == 0 {
		return usagef("--confirmations 0: it must be at least 1; --no-wait does not wait at all")
	}
	if r.output == outputSafe && !o.unsigned {
		return usagef("--output %s is a transaction for a Safe to sign: it goes with --unsigned, and --from is the Safe", outputSafe)
	}
	caps, err := o.fees.caps(r.Env)
	if err != nil {
		return err
	}
	t := &transacting{run: r, options: o, action: a, caps: caps}
	if o.unsigned {
		t.account = new(account)
		t.account.address, err = o.account.address(cmd.Context(), r.Env)
	} else {
		t.account, err = o.acting(cmd.Context(), r.Env)
	}
	if err != nil {
		return err
	}
	defer t.account.close()
	ctx, cancel, err := o.network.bound(cmd.Context())
	if err != nil {
		return err
	}
	defer cancel()
	var opened *store.Store
	switch {
	case o.journal != nil:
		t.journal, opened = o.journal.Journal, o.journal.store
	case !o.dryRun && !o.unsigned:
		network, err := o.network.chooseNetwork(r.Env)
		if err != nil {
			return err
		}
		journal, err := r.openJournal(cmd.Context(), &o.store, network)
		if err != nil {
			return err
		}
		defer journal.close() // after everything else
		t.journal, opened = journal.Journal, journal.store
	}
	client, err := r.dialFor(ctx, &o.network, opened, &o.store)
	if err != nil {
		return err
	}
	defer client.Close()
	status, err := client.Status(ctx, t.account.address)
	if err != nil {
		return err
	}
	t.situation = situation{client, status, t.account.address}
	if t.journal == nil {
		return t.withoutSending(ctx)
	}
	err = t.do(cmd.Context(), ctx)
	if t.intent != nil {
		err = r.endIntent(cmd.Context(), t.journal, t.intent, t.doubt(cmd.Context(), opened, err))
	}
	if err == nil && !o.yes {
		r.sameAgain(cmd, nil, o.account.besides(t.account.address, "--yes")...)
	}
	return err
}

// transacting is an action under way.
type transacting struct {
	run     *run
	options *transactOptions
	action  action
	caps    tx.Caps
	account *account
	situation
	journal *store.Journal
	// intent is set from when it is in the journal; resumed tells that an earlier run began
	// it.
	intent  *tx.Intent
	resumed bool
	// others are the account's unsettled transactions that the user was shown.
	others []*tx.Intent
}

// do takes the command's own context, which only a signal ends, and one that --timeout
// ends too.
func (t *transacting) do(command, ctx context.Context) (err error) {
	resume := func() error {
		t.intent, err = t.journal.Resume(ctx, t.account.address, t.options.requestID, t.action.label)
		t.resumed = t.intent != nil
		return err
	}
	if err := resume(); err != nil {
		return err
	}
	if t.intent == nil {
		err = t.begin(command, ctx)
		if errors.Is(err, tx.ErrTaken) {
			err = resume()
		}
	} else {
		err = t.resume(command, ctx)
	}
	if err != nil {
		return err
	}
	return t.finish(command)
}

// prepare has the action decide what to send, and simulates and prices it.
func (t *transacting) prepare(ctx context.Context) (*tx.Prepared, proposal, error) {
	if err := t.client.UpToDate(t.status.Head); err != nil {
		return nil, proposal{}, err
	}
	if t.status.Paused {
		return nil, proposal{}, &chain.RevertError{Reason: chain.ErrPaused.Error()}
	}
	p, err := t.action.plan(ctx, t.situation)
	if err != nil {
		return nil, p, err
	}
	prepared, err := tx.Prepare(ctx, t.client, t.account.address, p.call, t.caps)
	return prepared, p, err
}

// withoutSending shows what would be sent, or writes it for another machine.
func (t *transacting) withoutSending(ctx context.Context) error {
	prepared, proposal, err := t.prepare(ctx)
	if err != nil {
		return err
	}
	if t.options.dryRun {
		return t.dryRun(prepared, proposal.say)
	}
	t.show(prepared, proposal.say)
	return t.unsigned(ctx, prepared)
}

// begin sends a transaction for a new intent.
func (t *transacting) begin(command, ctx context.Context) error {
	return t.send(command, ctx, func(ctx context.Context, signer tx.Signer, p *tx.Prepared, terms tx.Terms) error {
		intent := &tx.Intent{RequestID: t.options.requestID, Label: t.action.label}
		err := tx.Submit(ctx, t.client, t.journal, signer, p, intent, terms)
		if intent.ID != "" {
			t.intent = intent
		}
		return err
	})
}

// resume continues what an earlier run began. A transaction that a node refused is signed
// anew, with the same nonce.
func (t *transacting) resume(command, ctx context.Context) error {
	t.run.note("continues transaction %s, which an earlier run signed at %s: no second one is sent",
		t.intent.Newest().Hash(), t.intent.CreatedAt.Format(time.RFC3339))
	if t.intent.State == tx.Refused {
		if err := t.lookAround(ctx); err != nil {
			return err
		}
		if err := t.journal.Reload(ctx, t.intent); err != nil {
			return err
		}
	}
	switch {
	case t.intent.State == tx.Refused && !t.held():
		err := t.send(command, ctx, func(ctx context.Context, signer tx.Signer, p *tx.Prepared, _ tx.Terms) error {
			return tx.Retry(ctx, t.client, t.journal, signer, p, t.intent)
		})
		if errors.Is(err, tx.ErrChanged) || errors.Is(err, tx.ErrHeld) {
			return nil // another run was faster: waiting shows what became of it
		}
		return err
	case t.intent.State == tx.Open && t.options.mining.noWait:
		return tx.Resend(ctx, t.client, t.journal, t.intent)
	}
	return nil
}

// held tells whether an open transaction of the account has the nonce of one that was
// refused: which of the two is mined must show first.
func (t *transacting) held() bool {
	for _, i := range t.others {
		if i.State == tx.Open && i.Nonce == t.intent.Nonce {
			return true
		}
	}
	return false
}

// lookAround finds the account's other transactions that may still be mined, and fails
// where the user has not agreed to send one beside them.
func (t *transacting) lookAround(ctx context.Context) error {
	if err := tx.CatchUp(ctx, t.client, t.journal, t.account.address); err != nil {
		return err
	}
	queue, err := t.journal.Queue(ctx, t.account.address, 0, 0)
	if err != nil {
		return err
	}
	queue = queue.Without(t.intent)
	t.others = append(queue.Open, queue.Refused...)
	return t.options.pending.terms().Agree(queue)
}

// send simulates and prices the call, shows it, has it agreed to, and submits it. Nothing
// is signed before.
func (t *transacting) send(command, ctx context.Context, submit func(context.Context, tx.Signer, *tx.Prepared, tx.Terms) error) error {
	r, o := t.run, t.options
	if err := t.lookAround(ctx); err != nil {
		return err
	}
	prepared, proposal, err := t.prepare(ctx)
	if err != nil {
		return err
	}
	t.show(prepared, proposal.say)
	looked := r.Now()
	// No node waits while a person thinks about the answer.
	if err := r.confirm(command, o.yes, proposal.ask); err != nil {
		return err
	}
	signer, err := t.account.unlock(command)
	if err != nil {
		return err
	}
	defer t.account.close() // waiting needs no key
	if err := command.Err(); err != nil {
		return err
	}
	if !o.yes || r.Now().Sub(looked) > lookAgainAfter {
		if prepared, err = t.agreeAgain(command, prepared, proposal); err != nil {
			return err
		}
	}
	ctx, cancel, err := o.network.bound(command)
	if err != nil {
		return err
	}
	defer cancel()
	terms := o.pending.terms()
	if !o.yes {
		terms.Seen = t.others
	}
	return submit(ctx, signer, prepared, terms)
}

// show tells what is about to be sent.
func (t *transacting) show(p *tx.Prepared, say []string) {
	r := t.run
	r.note("network   %s (chain id %d)", t.client.Network().Name, t.client.Network().ChainID)
	r.note("account   %s", t.account.address)
	r.note("contract  TicketBroker at %s", t.status.Contracts.TicketBroker)
	r.note("gas       at most %s", p.MaxFee)
	for _, i := range t.others {
		if i.State == tx.Refused {
			r.note("refused   %s: it may still be mined", i.Describe())
		} else {
			r.note("pending   %s: it is mined too", i.Describe())
		}
	}
	for _, sentence := range say {
		r.note("%s", sentence)
	}
}

// finish waits until the intent's transaction is mined, unless the user wants to return at
// once, and reports what happened. Where a transaction of others used the nonce, it sends
// the intent's with another one.
func (t *transacting) finish(command context.Context) error {
	retry := t.intent.State == tx.Lost // which the user knows, who runs the command again
	for {
		err := t.await(command)
		var lost *tx.LostError
		if !errors.As(err, &lost) || !t.account.opensAgain() {
			return err
		}
		if _, unknown := t.journal.Find(command, lost.By); unknown != nil && !retry {
			return err
		}
		retry = false
		t.run.note("nonce %d was used by transaction %s: signs it anew with another one", lost.Nonce, lost.By)
		if err := t.move(command); err != nil && !errors.Is(err, tx.ErrChanged) {
			return err
		}
	}
}

// move sends an intent's transaction with another nonce.
func (t *transacting) move(command context.Context) error {
	ctx, cancel, err := t.options.network.bound(command)
	if err != nil {
		return err
	}
	defer cancel()
	if t.status, err = t.client.Status(ctx, t.account.address); err != nil {
		return err
	}
	return t.send(command, ctx, func(ctx context.Context, signer tx.Signer, p *tx.Prepared, terms tx.Terms) error {
		return tx.Move(ctx, t.client, t.journal, signer, p, t.intent, terms)
	})
}

// await waits for the intent's transaction, and reports what it did.
func (t *transacting) await(command context.Context) error {
	ctx, cancel, err := t.options.network.bound(command)
	if err != nil {
		return err
	}
	defer cancel()
	w := waited{situation: t.situation, journal: t.journal, intent: t.intent, mining: t.options.mining,
		withPending: t.options.pending.withPending, others: t.others, report: t.action.report}
	if t.action.into != nil {
		*t.action.into, err = t.run.mined(ctx, w)
		return err
	}
	return t.run.awaitIntent(ctx, w)
}

// waited is a transaction that is waited for, and how.
type waited struct {
	situation
	journal     tx.Journal
	intent      *tx.Intent
	mining      miningOptions
	withPending bool
	// others are the account's other transactions that may be mined with it.
	others []*tx.Intent
	report reporter
}

// awaitIntent waits for one of an intent's transactions, as the options say, and emits
// the result.
func (r *run) awaitIntent(ctx context.Context, w waited) error {
	hash := w.intent.Newest().Hash()
	if w.mining.noWait {
		result := transactionResult{Hash: hash, Earlier: newEarlier(w.others)}
		return r.emitDone(fmt.Sprintf("transaction %s is sent", hash), "pmctl.transaction", result, result.write)
	}
	result, failed := r.mined(ctx, w)
	var err error
	if len(result.Events) > 0 || len(result.Tickets) > 0 {
		err = r.emitDone(fmt.Sprintf("transaction %s is mined", result.Hash), "pmctl.transaction", result, result.write)
	}
	return errors.Join(err, failed)
}

// mined waits for one of an intent's transactions and returns what it did. A result with
// events is one even where something of it has failed.
func (r *run) mined(ctx context.Context, w waited) (transactionResult, error) {
	r.note("sent      %s, waiting until it is mined", w.intent.Newest().Hash())
	done := r.waiting("not mined yet")
	receipt, err := tx.Await(ctx, w.client, w.journal, w.intent, tx.AwaitOptions{Confirmations: w.mining.confirmations, WithPending: w.withPending})
	done()
	if err != nil {
		return transactionResult{}, err
	}
	r.tellAgent(ctx, w.client.Network().ChainID, w.situation.account, receipt.TxHash)
	result, err := newTransactionResult(receipt)
	if err != nil {
		return transactionResult{}, err
	}
	if err := w.settleOthers(ctx); err != nil {
		r.note("%v; pmctl tx wait settles the earlier transactions", err)
	}
	result.Earlier = newEarlier(w.others)
	err = w.report(ctx, w.situation, receipt, &result)
	return result, err
}

// settleOthers records what became of the account's other transactions meanwhile.
func (w waited) settleOthers(ctx context.Context) error {
	if len(w.others) == 0 {
		return nil
	}
	if err := tx.CatchUp(ctx, w.client, w.journal, w.intent.Account); err != nil {
		return err
	}
	for _, i := range w.others {
		if err := w.journal.Reload(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// endPatience bounds the last entry in the journal, which is made after a signal too.
const endPatience = 5 * time.Second

// endIntent records whether a command that ends with err has reported how a transaction
// went, unless another run has continued that one, and returns how the command ends. The
// next run of the same command continues a transaction that is not reported.
func (r *run) endIntent(ctx context.Context, journal tx.Journal, intent *tx.Intent, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer cancel()
	endErr := journal.End(ctx, intent, !leavesOpen(err))
	var replaced *store.RestoredError
	switch {
	case endErr == nil, errors.Is(endErr, tx.ErrNotOwner):
		return err
	case err == nil && errors.As(endErr, &replaced):
		// The transaction is mined and reported. Whatever uses the store next finds out.
		r.note("the store %s was replaced meanwhile: %v; the journal there lacks what this command did", replaced.Path, replaced.Cause)
		return nil
	}
	return errors.Join(err, endErr)
}

// doubt adds to an error which says that nothing was done, of a transaction that an
// earlier run began, that the store may lack a later one for the same command.
func (t *transacting) doubt(ctx context.Context, opened *store.Store, err error) error {
	if err == nil || !t.resumed || leavesOpen(err) {
		return err
	}
	restored, lookErr := opened.Restored(context.WithoutCancel(ctx))
	if restored != nil {
		lookErr = &store.UnacknowledgedError{Restored: *restored}
	}
	if lookErr != nil {
		return fmt.Errorf("%w; %w", err, lookErr)
	}
	return err
}

// leavesOpen tells whether a command that ends with err does not know how its
// transaction went. Whatever is not known for sure is looked at again by a retry.
func leavesOpen(err error) bool {
	return err != nil && !errors.As(err, new(*tx.FailedError)) && !errors.As(err, new(*tx.CancelledError)) &&
		!errors.As(err, new(*tx.LostError)) && !errors.Is(err, redeem.ErrPassedOver)
}
