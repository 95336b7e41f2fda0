package wallet

import (
	"context"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// Paying says how a recipient is paid.
type Paying struct {
	// Works are what the params are for, at their own price; none for transcoding.
	Works []wire.Work

	// Headers bound the HTTP header of a delivery.
	Headers *pay.HeaderLimits

	// Request names the payment, so that it is made once however often it is asked for; nil
	// for a payment of its own. Digest tells it from others where it gets an id, as it does
	// when it takes more than one delivery.
	Request *store.Request
	Digest  string

	// Unattended tells that opening the key keeps no person waiting.
	Unattended bool
}

// Pay pays a recipient, and keeps the fresh ticket params that it answers with for the
// next payment. Whom the first payment to a URL pays is pinned. It fails as
// pay.Session.Pay does.
func (w *Wallet) Pay(ctx context.Context, u pay.URL, amount pay.Amount, o Paying) (*pay.Payment, error) {
	if err := w.canAct(); err != nil {
		return nil, err
	}
	defer w.LookUp(ctx)()
	client := w.asking(o.Works)
	client.Headers = o.Headers
	session := &pay.Session{
		Payer: w.payer(), Client: client, Kept: w.kept(), Pins: w.Pins(), URL: u, Unlock: w.unlock,
		Request: o.Request, Requests: w.ledger(), Digest: o.Digest, Unattended: o.Unattended,
	}
	done := w.UI.Progress(func() string { return "paying at " + u.String() })
	defer done()
	return session.Pay(ctx, amount)
}
