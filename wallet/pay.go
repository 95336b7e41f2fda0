package wallet

import (
	"context"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
)

// PayOptions says how a recipient is paid.
type PayOptions struct {
	// Works are what the params are for, at their own price; none for transcoding.
	Works []wire.Work

	// Headers bound the HTTP header of a delivery.
	Headers *pay.HeaderLimits

	// RequestID names the payment, so that it is made once however often it is asked for; ""
	// for a payment of its own, which gets an ID when it takes more than one delivery.
	RequestID string

	// Unattended tells that opening the key keeps no person waiting.
	Unattended bool
}

// Pay pays a recipient, and keeps the fresh ticket params that it answers with for the
// next payment. The first payment to a URL pins the address that it pays. It fails with
// ErrRequestID and ErrNotRegistered, and as pay.Session.Pay does.
func (w *Wallet) Pay(ctx context.Context, to pay.Target, amount pay.Amount, o PayOptions) (*pay.Payment, error) {
	if err := w.requireAccount(); err != nil {
		return nil, err
	}
	digest := paymentDigest(to, amount, o.Works)
	request, err := named(o.RequestID, digest)
	if err != nil {
		return nil, err
	}
	look := chainView{Wallet: w}
	u, err := look.locate(ctx, to, o.Works)
	if err != nil {
		return nil, err
	}
	defer look.begin(ctx)()
	client := w.asking(o.Works)
	client.Headers = o.Headers
	session := &pay.Session{
		Payer: look.payer(), Client: client, Kept: keptOffers{w.ledger(), w.store.ID()}, Pins: w.pins(to), URL: u,
		Unlock:  w.Account.Unlock,
		Request: request, Requests: w.ledger(), Digest: digest, Unattended: o.Unattended,
	}
	done := w.UI.Progress(func() string { return "paying at " + u.String() })
	defer done()
	return session.Pay(ctx, amount)
}
