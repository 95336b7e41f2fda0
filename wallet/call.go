package wallet

import (
	"context"
	"net/http"
	"time"

	"github.com/pmctl/pmctl/wallet/call"
)

// CallOptions are the parameters of NewCaller.
type CallOptions struct {
	// Terms are what the user agrees to pay.
	Terms call.Terms

	// RequestID makes the call idempotent: it is paid once. The body of its request must be
	// call.BytesBody. "" is a new call.
	RequestID string

	// Answered is called with the app's answer as soon as its header is there; it reads the body.
	Answered func(*http.Response) error
}

// NewCaller returns what calls an app of a live runner for the wallet's account, and pays what its
// orchestrator asks for by HTTP status 402. The first payment to a URL pins the recipient's
// address. The request must be the one that is then called; end is called after that. It returns
// ErrRequestID, ErrNoAccount and ErrNoStore.
func NewCaller(ctx context.Context, w *Wallet, r *call.Request, o CallOptions) (caller *call.Caller, end func(), err error) {
	if err := w.requireAccount(); err != nil {
		return nil, nil, err
	}
	request, err := named(o.RequestID, digestOf("call", r.Digest()))
	if err != nil {
		return nil, nil, err
	}
	look := &chainView{Wallet: w}
	stop := look.begin(ctx)
	client := call.HTTPClient()
	purse := &call.Account{
		Payer: look.payer(), Pins: w.pins(r.Target.Recipient()), Unlock: w.Account.Unlock, Request: request, Requests: w.ledger(), Now: w.Now,
	}
	return &call.Caller{HTTP: client, Purse: purse, Terms: o.Terms, Now: w.Now, After: time.After, Answered: o.Answered}, func() {
		client.CloseIdleConnections()
		stop()
	}, nil
}
