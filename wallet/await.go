package wallet

import (
	"context"
	"errors"

	"github.com/pmctl/pmctl/wallet/tx"
)

// awaited is a transaction that is waited for, and how.
type awaited struct {
	situation
	Waiting
	intent      *tx.Intent
	withPending bool
	// others are the account's other transactions that may be mined with it.
	others []*tx.Intent
	report reporter
}

// tell reports a result to the user.
func (o Waiting) tell(t Transaction) error {
	if o.Report == nil {
		return nil
	}
	return o.Report(t)
}

// await waits for one of an intent's transactions, unless the user wants to return at
// once, and reports the result. A result with events is one even where something of it
// has failed.
func (w *Wallet) await(ctx context.Context, a awaited) (Transaction, error) {
	if a.NoWait {
		result := Transaction{Hash: a.intent.Newest().Hash(), Earlier: earlier(a.others)}
		return result, a.tell(result)
	}
	result, failed := w.untilMined(ctx, a)
	var err error
	if len(result.Events) > 0 || len(result.Tickets) > 0 {
		err = a.tell(result)
	}
	return result, errors.Join(err, failed)
}

// untilMined waits for one of an intent's transactions and returns what it did.
func (w *Wallet) untilMined(ctx context.Context, a awaited) (Transaction, error) {
	w.note("sent      %s, waiting until it is mined", a.intent.Newest().Hash())
	done := w.UI.Progress(func() string { return "not mined yet" })
	receipt, err := w.manager(a.client).Await(ctx, a.intent, tx.AwaitOptions{Confirmations: a.Confirmations, WithPending: a.withPending})
	done()
	if err != nil {
		return Transaction{}, err
	}
	if w.Mined != nil {
		w.Mined(ctx, a.account, receipt.TxHash)
	}
	result, err := mined(receipt)
	if err != nil {
		return Transaction{}, err
	}
	if err := w.settleOthers(ctx, a); err != nil {
		w.note("%v; pmctl tx wait settles the earlier transactions", err)
	}
	result.Earlier = earlier(a.others)
	err = a.report(ctx, a.situation, receipt, &result)
	return result, err
}

// settleOthers records what became of the account's other transactions meanwhile.
func (w *Wallet) settleOthers(ctx context.Context, a awaited) error {
	if len(a.others) == 0 {
		return nil
	}
	if err := w.manager(a.client).CatchUp(ctx, a.intent.Account); err != nil {
		return err
	}
	for _, i := range a.others {
		if err := w.journal.Reload(ctx, i); err != nil {
			return err
		}
	}
	return nil
}
