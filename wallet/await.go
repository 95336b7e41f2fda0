package wallet

import (
	"context"
	"errors"
	"time"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/redeem"
	"github.com/pmctl/pmctl/wallet/store"
)

// pendingTx is a transaction that this run waits for.
type pendingTx struct {
	*Wallet
	situation
	WaitOptions
	intent      *tx.Intent
	withPending bool
	// others are the account's other transactions that may be mined with it.
	others []*tx.Intent
	report reporter
}

func (o WaitOptions) tell(t Transaction) error {
	if o.Report == nil {
		return nil
	}
	return o.Report(t)
}

// await waits for one of the intent's transactions, unless NoWait is set, and reports the result. A
// result with events is reported even if part of it has failed.
func (a *pendingTx) await(ctx context.Context) (Transaction, error) {
	if a.NoWait {
		result := Transaction{Hash: a.intent.Newest().Hash(), Earlier: earlier(a.others)}
		return result, a.tell(result)
	}
	result, failed := a.untilMined(ctx)
	var err error
	if len(result.Events) > 0 || len(result.Tickets) > 0 {
		err = a.tell(result)
	}
	return result, errors.Join(err, failed)
}

func (a *pendingTx) untilMined(ctx context.Context) (Transaction, error) {
	a.note("sent      %s, waiting until it is mined", a.intent.Newest().Hash())
	done := a.UI.Progress(func() string { return "not mined yet" })
	receipt, err := a.manager(a.client).Await(ctx, a.intent, tx.AwaitOptions{Confirmations: a.Confirmations, WithPending: a.withPending})
	done()
	if err != nil {
		return Transaction{}, err
	}
	if a.Mined != nil {
		a.Mined(ctx, a.account, receipt.TxHash)
	}
	result, err := mined(receipt)
	if err != nil {
		return Transaction{}, err
	}
	if err := a.settleOthers(ctx); err != nil {
		a.note("%v; pmctl tx wait settles the earlier transactions", err)
	}
	result.Earlier = earlier(a.others)
	err = a.report(ctx, a.situation, a.intent.Sent(receipt.TxHash), receipt, &result)
	return result, err
}

// settleOthers records the state of the account's other transactions.
func (a *pendingTx) settleOthers(ctx context.Context) error {
	if len(a.others) == 0 {
		return nil
	}
	if err := a.manager(a.client).CatchUp(ctx, a.intent.Account); err != nil {
		return err
	}
	for _, i := range a.others {
		if err := a.journal.Reload(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// endPatience limits the last write to the journal, which also follows a signal.
const endPatience = 5 * time.Second

// end records in the journal whether this run has reported the result, unless another run has taken
// over the transaction, and returns the flow's error. An unreported transaction is resumed by the
// next run of the same action.
func (a *pendingTx) end(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer cancel()
	endErr := a.journal.End(ctx, a.intent, !leavesOpen(err))
	var replaced *store.RestoredError
	switch {
	case endErr == nil, errors.Is(endErr, tx.ErrNotOwner):
		return err
	case err == nil && errors.As(endErr, &replaced):
		// The transaction is mined and reported. The next use of the store reports the replacement.
		a.note("the store %s was replaced while this command ran: %v; its journal lacks this transaction", replaced.Path, replaced.Cause)
		return nil
	}
	return errors.Join(err, endErr)
}

// leavesOpen reports whether a flow that ends with err leaves the result of its transaction
// unknown, so that a retry must look again. A cancellation that comes too late does, too: the run that sent
// the transaction may have ended without its result, and its retry must not send another one.
func leavesOpen(err error) bool {
	return err != nil && !errors.As(err, new(*tx.CancelledError)) && !errors.As(err, new(*tx.LostError)) &&
		!errors.Is(err, pm.ErrTxFailed) && !errors.Is(err, redeem.ErrPassedOver)
}
