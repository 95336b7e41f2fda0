package wallet

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
)

// Inspection is what the registry and a recipient itself say of it.
type Inspection struct {
	Registered Recipient
	OfferResult

	// Agrees tells whether the two are of one mind about who is there.
	Agrees bool

	// PaidBefore is who was paid there before; zero for nobody.
	PaidBefore common.Address
}

// Inspect asks a recipient, and holds its answer to the registry, the limits and the chain. What
// speaks against paying it is its Err. It fails as Registered, pay.Client.Fetch and the
// chain do.
func (w *Wallet) Inspect(ctx context.Context, of pay.Target) (*Inspection, error) {
	if err := w.requireAccount(); err != nil {
		return nil, err
	}
	i, look := &Inspection{}, chainView{Wallet: w}
	var err error
	u, byURL := of.URL, of.Address == (common.Address{})
	if !byURL {
		if i.Registered, err = look.recipient(ctx, of.Address); err != nil {
			return nil, err
		}
		if u, err = entryOf(i.Registered, false); err != nil {
			return nil, err
		}
	}
	done := w.UI.Progress(func() string { return fmt.Sprintf("waiting for the answer of %s", u) })
	offers, err := w.ask(ctx, []pay.URL{u}, nil)
	done()
	if err != nil {
		return nil, err
	}
	if i.OfferResult = offers[0]; i.Err != nil {
		return nil, i.Err
	}
	paid := i.Offer.Params.Recipient
	i.Agrees = paid == of.Address
	if byURL {
		if i.Registered, err = look.recipient(ctx, paid); err != nil {
			return nil, err
		}
		i.Agrees = check.IsRegisteredAt(i.Registered, u)
	}
	facts, err := look.newest(ctx, pm.CounterpartyOf(i.Offer.Params))
	if err != nil {
		return nil, err
	}
	document, err := w.document(i.Offer)
	if err != nil {
		return nil, err
	}
	i.Judged = judge(w.Limits, document, i.Offer.Params, &facts)
	pins := w.pins(pay.Target{})
	if i.PaidBefore, err = pins.Known.Recipient(ctx, pins.Sender, u.String()); err != nil {
		return nil, err
	}
	if !i.Agrees {
		i.Err = check.Disagreement(u, paid, i.Registered)
	} else if i.Err = pins.Check(ctx, u, paid); i.Err == nil {
		i.Err = i.Against
	}
	return i, nil
}
