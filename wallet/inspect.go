package wallet

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
)

// Inspection is what the registry says about a recipient, and what the recipient offers.
type Inspection struct {
	Registered Recipient
	OfferResult
	// Agrees reports whether the registry and the recipient name the same address.
	Agrees bool
	// PaidBefore is the address that is pinned to the URL; zero for none.
	PaidBefore common.Address
}

// Inspect asks the recipient for its offer, and checks it against the registry, the limits and the
// chain. Err is the first reason not to pay it. Inspect returns the errors of Registered,
// pay.Client.Fetch and the chain.
func (w *Wallet) Inspect(ctx context.Context, of pay.Target) (*Inspection, error) {
	if err := w.requireAccount(); err != nil {
		return nil, err
	}
	if err := of.Check(); err != nil {
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
