package wallet

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/remote/client"
)

// CallOptions are the parameters of NewCaller.
type CallOptions struct {
	// Terms are what the user agrees to pay.
	Terms call.Terms

	// Timeout is call.Caller's, and that of requests to a remote signer; 0 is no limit of its own.
	Timeout time.Duration

	// RequestID makes the call idempotent: it is paid once. The body of its request must be of
	// call.BytesBody. "" is a new call.
	RequestID string

	// Answered is called with the app's answer as soon as its header is there; it reads the body.
	// Nil reads none.
	Answered func(*http.Response) error

	// Orchestrator is the connection that Contact made ahead; nil has one made for the request.
	Orchestrator *Orchestrator

	// OnRequest, if set, is called after each request to the orchestrator, from any goroutine. Of
	// an Orchestrator it is that of Contact.
	OnRequest func(Request)
}

// Orchestrator is the connection to an app's orchestrator. Close it after the call.
type Orchestrator struct {
	http    *http.Client
	listing *call.Listing
}

// Contact connects to an app's orchestrator and asks how it lists the app, in the background: the
// connection and the answer may be there when a wallet is open. OnRequest is as in CallOptions.
func Contact(ctx context.Context, t call.Target, onRequest func(Request)) *Orchestrator {
	client := callClient(onRequest)
	return &Orchestrator{client, call.List(ctx, client, t)}
}

// Close ends what is under way, and closes the connections.
func (o *Orchestrator) Close() {
	o.listing.Close()
	o.http.CloseIdleConnections()
}

// NewCaller returns what calls an app of a live runner for the wallet's account, and pays what its
// orchestrator asks for by HTTP status 402. The first payment to a URL pins the recipient's
// address. The request must be the one that is then called; end is called after that. It returns
// ErrRequestID, ErrNoAccount, ErrNoStore, call.ErrURL for a request without a URL, and call.ErrBodyOnce
// for one with an ID whose body cannot be read again.
func NewCaller(ctx context.Context, w *Wallet, r *call.Request, o CallOptions) (caller *call.Caller, end func(), err error) {
	if err := w.requireAccount(); err != nil {
		return nil, nil, err
	}
	switch {
	case r == nil || r.Target.URL == nil:
		return nil, nil, fmt.Errorf("%w: the request has none", call.ErrURL)
	case o.RequestID != "" && r.Body != nil && !r.Body.Repeats():
		return nil, nil, call.ErrBodyOnce
	}
	request, err := named(o.RequestID, digestOf("call", r.Digest()))
	if err != nil {
		return nil, nil, err
	}
	look := &chainView{Wallet: w}
	stop := look.begin(ctx)
	purse := &call.Account{
		Payer: look.payer(), Pins: w.pins(r.Target.Recipient()), Unlock: w.Account.Unlock, Request: request, Requests: w.ledger(), Now: w.Now,
	}
	caller, closeIdle := newCaller(purse, o, w.Now)
	return caller, func() {
		closeIdle()
		stop()
	}, nil
}

// NewSignerCaller is NewCaller for a machine without a key: the remote signer at c checks, records
// and signs the payments, to the recipients in only; nil is for any. It fails with ErrRequestID, and as
// call.NewRemoteSigner does.
func NewSignerCaller(ctx context.Context, c *client.Client, only []common.Address, o CallOptions) (caller *call.Caller, end func(), err error) {
	if _, err := named(o.RequestID, ""); err != nil {
		return nil, nil, err
	}
	c.Within(o.Timeout)
	purse, err := call.NewRemoteSigner(ctx, c, o.Terms, only, o.RequestID, time.Now)
	if err != nil {
		return nil, nil, err
	}
	caller, end = newCaller(purse, o, time.Now)
	return caller, end, nil
}

func newCaller(purse call.Purse, o CallOptions, now func() time.Time) (caller *call.Caller, end func()) {
	caller = &call.Caller{Purse: purse, Terms: o.Terms, Timeout: o.Timeout, Now: now, After: time.After, Answered: o.Answered}
	if o.Orchestrator != nil { // its owner closes it
		caller.HTTP, caller.Listing = o.Orchestrator.http, o.Orchestrator.listing
		return caller, func() {}
	}
	caller.HTTP = callClient(o.OnRequest)
	return caller, caller.HTTP.CloseIdleConnections
}

func callClient(onRequest func(Request)) *http.Client {
	client := call.HTTPClient()
	client.Transport = Observe(client.Transport, ToRecipient, "", onRequest)
	return client
}
