package wallet

import (
	"context"
	"errors"
	"time"

	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/redeem"
	"github.com/pmctl/pmctl/wallet/store"
)

// awaited is a transaction that is waited for, and how.
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

// tell reports a result to the user.
func (o WaitOptions) tell(t Transaction) error {
	if o.Report == nil {
		return nil
	}
	return o.Report(t)
}

// await waits for one of an intent's transactions, unless the user wants to return at
// once, and reports the result. A result with events is one even where something of it
// has failed.
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

// untilMined waits for one of an intent's transactions and returns what it did.
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
	err = a.report(ctx, a.situation, receipt, &result)
	return result, err
}

// settleOthers records what became of the account's other transactions meanwhile.
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

// endPatience bounds the last entry in the journal, which is made after a signal too.
const endPatience = 5 * time.Second

// end records whether a flow that ends with err has reported how a transaction went,
// unless another run has continued that one, and returns how the flow ends. The next run
// of the same continues a transaction that is not reported.
func (a *pendingTx) end(ctx context.Context, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
	defer cancel()
	endErr := a.journal.End(ctx, a.intent, !leavesOpen(err))
	var replaced *store.RestoredError
	switch {
	case endErr == nil, errors.Is(endErr, tx.ErrNotOwner):
		return err
	case err == nil && errors.As(endErr, &replaced):
		// The transaction is mined and reported. Whatever uses the store next finds out.
		a.note("the store %s was replaced meanwhile: %v; the journal there lacks what this command did", replaced.Path, replaced.Cause)
		return nil
	}
	return errors.Join(err, endErr)
}

// leavesOpen tells whether a flow that ends with err does not know how its transaction
// went. Whatever is not known for sure is looked at again by a retry.
func leavesOpen(err error) bool {
	return err != nil && !errors.As(err, new(*tx.FailedError)) && !errors.As(err, new(*tx.CancelledError)) &&
		!errors.As(err, new(*tx.LostError)) && !errors.Is(err, redeem.ErrPassedOver)
}
