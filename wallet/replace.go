package wallet

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ReplaceOptions are the parameters of Bump and Cancel.
type ReplaceOptions struct {
	// Find returns the account that signed the transaction; nil is for the wallet's own account.
	Find func(context.Context, common.Address) (*signer.Account, error)

	// Agreed reports whether the user agrees to the price: no question is asked.
	Agreed bool

	WaitOptions
}

// Bump replaces a pending transaction by the same one at a higher gas price, and waits until one of
// the two is mined. It returns ErrUnknownTransaction for a hash that the journal lacks, ErrNoAccount
// without an account to sign, and the errors of Wait.
func (w *Wallet) Bump(ctx context.Context, hash common.Hash, o ReplaceOptions) (Transaction, error) {
	return w.replace(ctx, hash, o, tx.KindBump, "Pay more for it?")
}

// Cancel replaces a pending transaction by an empty one. It returns ErrTooLate if the transaction
// itself is mined first, and the errors of Bump.
func (w *Wallet) Cancel(ctx context.Context, hash common.Hash, o ReplaceOptions) (Transaction, error) {
	return w.replace(ctx, hash, o, tx.KindCancel, "Cancel it?")
}

func (w *Wallet) replace(caller context.Context, hash common.Hash, o ReplaceOptions, kind tx.Kind, question string) (Transaction, error) {
	ctx, cancel := w.bound(caller)
	defer cancel()
	a, err := w.adopt(ctx, hash, o.WaitOptions)
	if err != nil {
		return Transaction{}, err
	}
	if o.Find == nil {
		if o.Find, err = only(w.Account, a.intent.Account); err != nil {
			return Transaction{}, err
		}
	}
	network, waits := a.client.Network(), a.intent.Newest()
	prepared, err := a.manager(a.client).PrepareReplacement(ctx, a.intent, kind, Caps(w.Limits))
	if err != nil {
		return Transaction{}, err
	}
	w.note("network   %s (chain ID %d)", network.Name, network.ChainID)
	w.note("account   %s", a.intent.Account)
	w.note("pending   %s: %s", waits.Hash(), a.intent.Label)
	w.note("gas       at most %s, before at most %s", prepared.MaxFee, wei.Text(tx.MaxFee(waits)))
	if !o.Agreed {
		if err := w.UI.Confirm(caller, question); err != nil {
			return Transaction{}, err
		}
	}
	if err := a.signReplacement(caller, o, prepared, kind); err != nil {
		return Transaction{}, err
	}
	ctx, cancel = w.bound(caller)
	defer cancel()
	return a.awaitReplacement(ctx)
}

// only finds the wallet's own account, which must have signed the transaction.
func only(own *signer.Account, sender common.Address) (func(context.Context, common.Address) (*signer.Account, error), error) {
	if own == nil {
		return nil, ErrNoAccount
	}
	if own.Address() != sender {
		return nil, fmt.Errorf("%w: %s signed the transaction, the account is %s", ErrOtherAccount, sender, own.Address())
	}
	return func(context.Context, common.Address) (*signer.Account, error) { return own, nil }, nil
}

func (a *pendingTx) signReplacement(ctx context.Context, o ReplaceOptions, agreed *tx.Prepared, kind tx.Kind) error {
	account, err := o.Find(ctx, a.intent.Account)
	if err != nil {
		return err
	}
	defer account.Close() // waiting needs no key
	m := a.manager(a.client)
	if m.Signer, err = account.Unlock(ctx); err != nil {
		return err
	}
	ctx, cancel := a.bound(ctx)
	defer cancel()
	// It may be mined by now, or replaced by another command.
	if err := a.journal.Reload(ctx, a.intent); err != nil {
		return err
	}
	now, err := m.PrepareReplacement(ctx, a.intent, kind, Caps(a.Limits))
	if err != nil {
		return err
	}
	if now.MaxFee.Cmp(agreed.MaxFee) > 0 {
		if agreed.FeeCap.Cmp(a.intent.Newest().GasFeeCap()) <= 0 {
			return hint.With(errPriceRose, "run the command again to see the new price")
		}
		now = agreed
	}
	return m.Replace(ctx, now, a.intent, kind)
}

// errPriceRose is returned if another command has replaced the transaction meanwhile.
var errPriceRose = errors.New("another command replaced the transaction after its price was shown; replacing it once more costs more")

// awaitReplacement waits until the replacement or the replaced transaction is mined.
func (a *pendingTx) awaitReplacement(ctx context.Context) (Transaction, error) {
	cancels := a.intent.Attempts[len(a.intent.Attempts)-1].Kind == tx.KindCancel
	result, err := a.await(ctx)
	var cancelled *tx.CancelledError
	switch {
	case !cancels || a.NoWait:
	case errors.As(err, &cancelled):
		result = Transaction{Hash: cancelled.Hash, Mined: true, Cancelled: true}
		err = a.tell(result)
	case err == nil:
		err = ErrTooLate
	}
	return result, a.end(ctx, err)
}

// ErrTooLate is returned when a transaction was mined before it could be cancelled.
var ErrTooLate = errors.New("too late to cancel it: the transaction itself was mined")
