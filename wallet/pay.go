package wallet

import (
	"context"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
)

// PayOptions are the parameters of Pay.
type PayOptions struct {
	// Works are what the params are for, at their own price; none for transcoding.
	Works []wire.Work

	// Headers limits the size of the HTTP headers.
	Headers *pay.HeaderLimits

	// RequestID makes the payment idempotent. "" for a new payment, which gets a generated ID if it
	// takes more than one delivery.
	RequestID string

	// Unattended reports whether opening the key asks no question.
	Unattended bool
}

// Pay pays a recipient, and stores the fresh ticket params from its answer for the next payment.
// The first payment to a URL pins the recipient's address. It returns ErrRequestID,
// ErrNotRegistered and the errors of pay.Session.Pay.
func (w *Wallet) Pay(ctx context.Context, to pay.Target, amount pay.Amount, o PayOptions) (*pay.Payment, error) {
	return w.pay(ctx, to, amount, o, nil)
}

// pay is Pay for one of several payments, which come to a sum together; nil for one alone.
func (w *Wallet) pay(ctx context.Context, to pay.Target, amount pay.Amount, o PayOptions, together *policy.Sum) (*pay.Payment, error) {
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
	payer := look.payer()
	payer.Together = together
	session := &pay.Session{
		Payer: payer, Client: client, Kept: keptOffers{w.ledger(), w.store.ID()}, Pins: w.pins(to), Credits: w.ledger(), URL: u,
		Unlock:  w.Account.Unlock,
		Request: request, Requests: w.ledger(), Digest: digest, Unattended: o.Unattended,
	}
	done := w.UI.Progress(func() string { return "paying " + u.String() })
	defer done()
	return session.Pay(ctx, amount)
}
