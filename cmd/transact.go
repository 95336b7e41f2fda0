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
	cmd.Flags().StringVar(&o.requestID, "request-id", "", "`ID` of your own: the same command with it again goes on with the same transaction, and never sends a second one")
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
	// label says what, for people and for the journal: whoever asks for the same thing
	// gives the same label.
	label string
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
		err = errors.Join(err, t.end(cmd.Context(), err))
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
	// intent is set from when it is in the journal.
	intent *tx.Intent
}

// do takes the command's own context, which only a signal ends, and one that --timeout
// ends too.
func (t *transacting) do(command, ctx context.Context) (err error) {
	resume := func() error {
		t.intent, err = t.journal.Resume(ctx, t.account.address, t.options.requestID, t.action.label)
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
		if err != nil {
			return err
		}
	} else {
		t.run.note("continues transaction %s, which an earlier run signed at %s: no second one is sent",
			t.intent.Newest().Hash(), t.intent.CreatedAt.Format(time.RFC3339))
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

// begin simulates and prices the call, shows it, has it agreed to, and sends it. Nothing
// is signed before.
func (t *transacting) begin(command, ctx context.Context) error {
	r, o := t.run, t.options
	prepared, proposal, err := t.prepare(ctx)
	if err != nil {
		return err
	}
	t.show(prepared, proposal.say)
	// Whoever thinks about the answer is not waited for by a node.
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
	ctx, cancel, err := o.network.bound(command)
	if err != nil {
		return err
	}
	defer cancel()
	intent := &tx.Intent{RequestID: o.requestID, Label: t.action.label}
	err = tx.Submit(ctx, t.client, t.journal, signer, prepared, intent)
	if err == nil || intent.ID != "" && errors.As(err, new(*tx.UnknownOutcomeError)) {
		t.intent = intent
	}
	return err
}

// show tells what is about to be sent.
func (t *transacting) show(p *tx.Prepared, say []string) {
	r := t.run
	r.note("network   %s (chain id %d)", t.client.Network().Name, t.client.Network().ChainID)
	r.note("account   %s", t.account.address)
	r.note("contract  TicketBroker at %s", t.status.Contracts.TicketBroker)
	r.note("gas       at most %s", p.MaxFee)
	for _, sentence := range say {
		r.note("%s", sentence)
	}
}

// finish waits until the intent's transaction is mined, unless nobody wants to, and says
// what happened.
func (t *transacting) finish(command context.Context) error {
	ctx, cancel, err := t.options.network.bound(command)
	if err != nil {
		return err
	}
	defer cancel()
	if t.action.into != nil {
		*t.action.into, err = t.run.mined(ctx, t.situation, t.journal, t.intent, t.options.mining, t.action.report)
		return err
	}
	return t.run.awaitIntent(ctx, t.situation, t.journal, t.intent, t.options.mining, t.action.report)
}

// awaitIntent waits for one of an intent's transactions, as the options say, and emits
// the result.
func (r *run) awaitIntent(ctx context.Context, s situation, journal tx.Journal, intent *tx.Intent, o miningOptions, report reporter) error {
	hash := intent.Newest().Hash()
	if o.noWait {
		result := transactionResult{Hash: hash}
		return r.emitDone(fmt.Sprintf("transaction %s is sent", hash), "pmctl.transaction", result, result.write)
	}
	result, failed := r.mined(ctx, s, journal, intent, o, report)
	var err error
	if len(result.Events) > 0 || len(result.Tickets) > 0 {
		err = r.emitDone(fmt.Sprintf("transaction %s is mined", result.Hash), "pmctl.transaction", result, result.write)
	}
	return errors.Join(err, failed)
}

// mined waits for one of an intent's transactions and returns what it did. A result with
// events is one even where something of it has failed.
func (r *run) mined(ctx context.Context, s situation, journal tx.Journal, intent *tx.Intent, o miningOptions, report reporter) (transactionResult, error) {
	r.note("sent      %s, waiting until it is mined", intent.Newest().Hash())
	done := r.waiting("not mined yet")
	receipt, err := tx.Await(ctx, s.client, journal, intent, o.confirmations)
	done()
	if err != nil {
		return transactionResult{}, err
	}
	result, err := newTransactionResult(receipt)
	if err != nil {
		return transactionResult{}, err
	}
	err = report(ctx, s, receipt, &result)
	return result, err
}

// endPatience bounds the last entry in the journal, which is made after a signal too.
const endPatience = 5 * time.Second

// end records whether the run knows how the intent went. One that does not is gone on
// with by the next run of the same command.
func (t *transacting) end(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer cancel()
	return t.journal.End(ctx, t.intent, !leavesOpen(err))
}

// leavesOpen tells whether a command that ends with err does not know how its
// transaction went. Whatever is not known for sure is looked at again by a retry.
func leavesOpen(err error) bool {
	return err != nil && !errors.As(err, new(*tx.FailedError)) && !errors.As(err, new(*tx.CancelledError)) &&
		!errors.As(err, new(*tx.LostError)) && !errors.Is(err, redeem.ErrPassedOver)
}
