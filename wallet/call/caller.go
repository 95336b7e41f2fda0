package call

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"time"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// Caller calls apps, and pays for that.
type Caller struct {
	// HTTP sends the requests, as HTTPClient's does. It must be set.
	HTTP *http.Client

	// Listing is the app's entry in the list of runners, if that was asked for ahead; nil has it
	// asked for with the request.
	Listing *Listing

	// Purse pays, within Terms. It must be set.
	Purse Purse
	Terms Terms

	// Timeout limits the wait for a connection, and for the orchestrator's own answers: to a request
	// that is not paid, and to one for a session. An app's may take any time. 0 is no limit.
	Timeout time.Duration

	// Now is the clock, and After waits; nil are those of package time.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time

	// Answered is called with the app's answer, whose body it reads, as soon as its header is
	// there. Of a session that is the orchestrator's answer. Nil reads none.
	Answered func(*http.Response) error
}

// Result is what came of a call.
type Result struct {
	// Challenge is what the orchestrator asked for last; nil for an app that asks for nothing.
	*Challenge

	// Price is the call's, or its session's first one.
	Price live.Price

	// Payments counts those that were sent. Tickets are worth Paid wei together, and pay for
	// Units at a Fee in wei; Balance is what was paid beyond it.
	Payments           int
	Tickets            uint64
	Units              int64
	Fee, Paid, Balance *big.Rat

	// Status is the HTTP status of the app's answer; 0 for none.
	Status int

	// Session is the session that was opened; nil for a single call.
	Session *Session
}

func newResult(c *Challenge) *Result {
	r := &Result{Challenge: c, Fee: new(big.Rat), Paid: new(big.Rat), Balance: new(big.Rat)}
	if c != nil {
		r.Price = c.price()
	}
	return r
}

// add counts a payment.
func (r *Result) add(p *Payment) {
	r.Challenge, r.Payments, r.Tickets, r.Units = p.Challenge, r.Payments+1, r.Tickets+uint64(p.Tickets), r.Units+p.Units
	r.Fee.Add(r.Fee, p.Fee)
	r.Paid.Add(r.Paid, p.Paid)
	r.Balance.Sub(r.Paid, r.Fee)
	r.Price = live.Price{PerUnit: p.Session.InitialPricePerUnit, Pixels: p.Session.InitialPixelsPerUnit}
}

// Quote returns what the first payment of a call would come to: nothing is recorded, signed or
// paid. It is nil for an app that asks for no payment, whose answer is passed on. Quote fails as
// Call does.
func (c *Caller) Quote(ctx context.Context, r *Request) (*Due, error) {
	c, r, err := c.ready(r)
	if err != nil {
		return nil, err
	}
	due, free, err := c.challenged(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case due == nil:
		return nil, c.pass(free, newResult(nil))
	}
	return due, c.Purse.Check(ctx, *due)
}

// ErrNoPurse is returned for a Caller without a Purse.
var ErrNoPurse = errors.New("no purse to pay from: set Purse in the Caller")

var errNoHTTP = errors.New("no client to send requests: set HTTP in the Caller, such as HTTPClient()")

// ready returns a caller with what was left out, and a request that can be redirected.
func (c *Caller) ready(r *Request) (*Caller, *Request, error) {
	switch {
	case c.Purse == nil:
		return nil, nil, ErrNoPurse
	case c.HTTP == nil:
		return nil, nil, errNoHTTP
	}
	if own, ok := c.Purse.(ownPurse); ok {
		if err := own.check(); err != nil {
			return nil, nil, err
		}
	}
	caller := *c
	if caller.Now == nil {
		caller.Now = time.Now
	}
	if caller.After == nil {
		caller.After = time.After
	}
	if r == nil {
		r = new(Request) // which is refused for its URL
	}
	request := *r
	if b := r.Body; b != nil && b.Repeats() && len(b.whole) == 0 {
		request.Body = nil // which has a length, where an empty one would be sent in chunks
	}
	return &caller, &request, nil
}

// Call calls an app once, pays what the orchestrator asks for, and passes on the app's answer. It
// returns what was paid also when it fails after that.
//
// It fails with policy.ErrLimit, ErrNoUnit, ErrURL, ErrHeader, ErrUpgrade, ErrHead, ErrBodyOnce, ErrBodySent, ErrNoPurse
// and the errors of Purse for what is not paid; with pay.ErrUnreachable if nothing was sent; with *pay.RefusedError if the orchestrator
// refuses the payment, and *pay.UnknownOutcomeError if it is not known whether it has it; with
// ErrApp for an answer with status 400 or above; and with ErrAnsweredBefore for a request
// that was answered in an earlier run.
func (c *Caller) Call(ctx context.Context, r *Request) (*Result, error) {
	c, r, err := c.ready(r)
	if err != nil {
		return nil, err
	}
	p, err := c.Purse.Recorded(ctx, 0)
	if err != nil {
		return nil, err
	}
	if p != nil {
		return c.again(ctx, r, p)
	}
	p, free, err := c.first(ctx, r, func(*Due) error { return nil })
	if err != nil {
		return nil, err
	}
	if p == nil {
		result := newResult(nil)
		return result, c.pass(free, result)
	}
	return c.paid(ctx, r, p)
}

// first sends the request without a payment, and makes the one that is due for it, unless check
// fails. Ticket params may expire while the key is opened: then it asks once more, and judges anew.
// Where the app asks for no payment, p is nil and response is its answer.
func (c *Caller) first(ctx context.Context, r *Request, check func(*Due) error) (p *Payment, response *http.Response, err error) {
	for again := false; ; again = true {
		due, free, err := c.challenged(ctx, r)
		if err != nil || due == nil {
			return nil, free, err
		}
		if err := check(due); err != nil {
			return nil, nil, err
		}
		p, err := c.Purse.Pay(ctx, *due)
		if again || !needsRefresh(err) {
			return p, nil, err
		}
	}
}

// again continues a call whose payment was recorded before. A payment that was never sent and
// cannot be sent any more is replaced.
func (c *Caller) again(ctx context.Context, r *Request, p *Payment) (*Result, error) {
	switch p.Record.State {
	case store.Accepted:
		return nil, hint.With(hint.Kind(ErrAnsweredBefore, fmt.Errorf("request %q was already paid and answered at %s; pmctl does not store answers, and sent nothing", p.Record.ID, p.Record.At.Format(time.RFC3339))),
			"to call the app again and pay again, pass another --request-id")
	case store.Refused:
		return nil, &pay.RefusedBeforeError{ID: p.Record.ID, Outcome: p.Record.Outcome, At: p.Record.At}
	}
	if err := c.Terms.repeats(new(big.Rat), p); err != nil {
		return nil, err
	}
	sent := p.sentBefore()
	result, err := c.paid(ctx, r, p)
	if result != nil || !cannotBeSent(err) {
		return result, err
	}
	if sent {
		return nil, &pay.UnknownOutcomeError{URL: r.Target.Origin.String(), Err: fmt.Errorf("they cannot be delivered again: %w", err), Request: p.Record.ID, Again: true, Over: true}
	}
	if err := c.Purse.Drop(ctx, p); err != nil {
		return nil, err
	}
	return c.Call(ctx, r)
}

// paid sends the request with its payment, and passes on the answer. The result is nil if the
// payment was not sent.
func (c *Caller) paid(ctx context.Context, r *Request, p *Payment) (*Result, error) {
	response, err := c.send(ctx, r, p, false)
	if err != nil {
		if errors.As(err, new(*pay.RefusedError)) || errors.As(err, new(*pay.UnknownOutcomeError)) {
			result := newResult(p.Challenge)
			result.add(p)
			return result, err
		}
		return nil, err
	}
	result := newResult(p.Challenge)
	result.add(p)
	noted := c.Purse.End(context.WithoutCancel(ctx), p, store.Accepted, "")
	return result, errors.Join(c.pass(response, result), noted)
}

// pass passes on the app's answer.
func (c *Caller) pass(response *http.Response, result *Result) error {
	defer response.Body.Close()
	result.Status = response.StatusCode
	unasked := response.StatusCode == http.StatusSwitchingProtocols // no answer follows, and the connection stays open
	if c.Answered != nil && !unasked {
		if err := c.Answered(response); err != nil {
			return err
		}
	}
	switch {
	case response.StatusCode < http.StatusBadRequest && !unasked:
		return nil
	case result.Challenge == nil:
		// Without a challenge it may as well be from a proxy, or another server.
		return hint.Kind(ErrApp, fmt.Errorf("%s answered with status %d; nothing was paid", response.Request.URL.Host, response.StatusCode))
	}
	return fmt.Errorf("the call was paid, and %w %d", ErrApp, response.StatusCode)
}

// challenged sends the request without a payment, and returns the payment that is due for it.
// Where the app asks for none, due is nil and response is its answer. The list of runners is asked for once, however
// often a caller is challenged.
func (c *Caller) challenged(ctx context.Context, r *Request) (due *Due, response *http.Response, err error) {
	if c.Listing == nil {
		c.Listing = List(ctx, c.HTTP, r.Target)
		defer c.Listing.Close()
	}
	var movedTo *url.URL
	response, err = c.ask(ctx, r)
	if err == nil && r.redirected(response) { // an orchestrator's own, such as from /app to /app/
		response.Body.Close()
		movedTo = r.Target.URL
		response, err = c.ask(ctx, r)
	}
	if err != nil {
		return nil, nil, err
	}
	if response.StatusCode != http.StatusPaymentRequired {
		return nil, response, unfunded(r.Target.Origin, response)
	}
	if r.Method == http.MethodHead {
		return nil, nil, ErrHead
	}
	body, err := readOwn(response)
	if err != nil {
		return nil, nil, pay.Unreachable(r.Target.Origin, err)
	}
	challenge, err := readChallenge(body, r.Target.Origin, c.Purse.Sender(), c.Now())
	if err != nil {
		if errors.Is(err, pay.ErrMalformed) && isJSON(response) {
			err = fmt.Errorf("%w: %s", err, reason(body))
		}
		return nil, nil, err
	}
	challenge.MovedTo = movedTo
	found, unlisted := c.Listing.wait()
	if challenge.App, challenge.Type = found.App, ""; found.App == "" {
		challenge.App = r.Target.runner()
	}
	_, kind, _ := found.Price.Rat()
	if challenge.Type, err = c.Terms.typeFor(kind, unlisted); err != nil {
		return nil, nil, err
	}
	due, err = c.due(challenge, 0, nil, new(big.Rat))
	return due, nil, err
}

// due returns a payment that is due now, within the terms. A second that has begun counts whole, so an
// account leaves it to its next payment; a remote signer bills by its own clock.
func (c *Caller) due(challenge *Challenge, number int, before *live.Session, paid *big.Rat) (*Due, error) {
	at := c.Now()
	if _, own := c.Purse.(ownPurse); own && before != nil && challenge.Type == live.Seconds {
		at = before.LastUpdate.Add(at.Sub(before.LastUpdate).Truncate(time.Second))
	}
	bill, err := c.Terms.bill(challenge.request(at), before)
	if err != nil {
		return nil, challenge.unbillable(err)
	}
	return &Due{challenge, number, before, at, bill}, c.Terms.allow(paid, bill.Paid())
}
