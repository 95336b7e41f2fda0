package wallet

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Replacing says how a transaction is replaced.
type Replacing struct {
	// Find finds the account that has signed it.
	Find func(context.Context, common.Address) (*signer.Account, error)

	// Agreed tells that the user agrees to the price: nothing is asked.
	Agreed bool

	Waiting
}

// Bump signs a transaction of the journal anew, at a price that nodes take in its place,
// and waits until one of the two is mined. It fails as tx.Manager's
// PrepareReplacement, Replace and Await do.
func (w *Wallet) Bump(ctx context.Context, hash common.Hash, o Replacing) (Transaction, error) {
	return w.replace(ctx, hash, o, tx.KindBump, "Pay more for it?")
}

// Cancel has nothing mined in the place of a transaction of the journal. It fails with
// ErrTooLate when the transaction itself is mined first, and as Bump does.
func (w *Wallet) Cancel(ctx context.Context, hash common.Hash, o Replacing) (Transaction, error) {
	return w.replace(ctx, hash, o, tx.KindCancel, "Cancel it?")
}

func (w *Wallet) replace(caller context.Context, hash common.Hash, o Replacing, kind tx.Kind, question string) (Transaction, error) {
	ctx, cancel := w.bound(caller)
	defer cancel()
	s, intent, err := w.adopt(ctx, hash)
	if err != nil {
		return Transaction{}, err
	}
	m := w.manager(s.client)
	prepared, err := m.PrepareReplacement(ctx, intent, kind, Caps(w.Limits))
	if err != nil {
		return Transaction{}, err
	}
	w.note("network   %s (chain id %d)", s.client.Network().Name, s.client.Network().ChainID)
	w.note("account   %s", intent.Account)
	w.note("waiting   %s: %s", intent.Newest().Hash(), intent.Label)
	w.note("gas       at most %s, in place of at most %s", prepared.MaxFee, wei.Text(tx.MaxFee(intent.Newest())))
	if !o.Agreed {
		if err := w.UI.Confirm(caller, question); err != nil {
			return Transaction{}, err
		}
	}
	if err := w.signReplacement(caller, o, m, intent, prepared, kind); err != nil {
		return Transaction{}, err
	}
	ctx, cancel = w.bound(caller)
	defer cancel()
	return w.awaitReplacement(ctx, awaited{situation: s, Waiting: o.Waiting, intent: intent, report: reportEvents()})
}

func (w *Wallet) signReplacement(ctx context.Context, o Replacing, m tx.Manager, i *tx.Intent, agreed *tx.Prepared, kind tx.Kind) error {
	account, err := o.Find(ctx, i.Account)
	if err != nil {
		return err
	}
	defer account.Close()
	if m.Signer, err = account.Unlock(ctx); err != nil {
		return err
	}
	ctx, cancel := w.bound(ctx)
	defer cancel()
	// It may be mined by now, or replaced by another command.
	if err := w.journal.Reload(ctx, i); err != nil {
		return err
	}
	now, err := m.PrepareReplacement(ctx, i, kind, Caps(w.Limits))
	if err != nil {
		return err
	}
	if now.MaxFee.Cmp(agreed.MaxFee) > 0 {
		if agreed.FeeCap.Cmp(i.Newest().GasFeeCap()) <= 0 {
			return hint.With(errPriceRose, "run it again to see the price that it takes now")
		}
		now = agreed
	}
	return m.Replace(ctx, now, i, kind)
}

// errPriceRose is returned when another command has replaced the transaction meanwhile.
var errPriceRose = errors.New("another command has replaced the transaction since its price was shown, and a further replacement costs more")

// awaitReplacement waits until the replacement is mined, or what it replaces.
func (w *Wallet) awaitReplacement(ctx context.Context, a awaited) (Transaction, error) {
	cancels := a.intent.Attempts[len(a.intent.Attempts)-1].Kind == tx.KindCancel
	result, err := w.await(ctx, a)
	var cancelled *tx.CancelledError
	switch {
	case !cancels || a.NoWait:
	case errors.As(err, &cancelled):
		result = Transaction{Hash: cancelled.Hash, Mined: true, Cancelled: true}
		err = a.tell(result)
	case err == nil:
		err = ErrTooLate
	}
	return result, w.end(ctx, a.intent, err)
}

// ErrTooLate is returned when a transaction was mined before it could be cancelled.
var ErrTooLate = errors.New("too late to cancel it: the transaction itself was mined")
