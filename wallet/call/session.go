package call

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pmctl/pmctl/internal/clock"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/remote/client"
	"github.com/pmctl/pmctl/wallet/store"
)

// Session is a session with an app, as the orchestrator opened it.
type Session struct {
	ID         string `json:"session_id"`
	AppURL     string `json:"app_url"`
	ControlURL string `json:"control_url"`
}

// SessionOptions say how long a session lasts.
type SessionOptions struct {
	// For ends it after that time; 0 is for no end.
	For time.Duration

	// Run, if set, uses the session, and ends it by returning. Its context ends with the session.
	Run func(ctx context.Context, s Session) error
}

const (
	// payEvery is the time between payments of a session.
	payEvery = 5 * time.Second

	// early is how long before the end of a second a remote signer is asked: more than its answers differ in
	// time, or the next second has begun there.
	early = 50 * time.Millisecond

	// patience is how long a session may go unpaid while its orchestrator, or what makes its payments,
	// cannot be reached.
	patience = 30 * time.Second

	// doubtAfter is how long a session may go unpaid before pmctl asks whether it is still open.
	doubtAfter = 2 * payEvery

	// stopTimeout limits the request that stops a session.
	stopTimeout = 10 * time.Second
)

// held is a session while it is paid.
type held struct {
	*Caller
	result    *Result
	challenge *Challenge
	session   *live.Session // after the last payment

	// pending is a payment that is not known to have arrived; counted reports whether result has it.
	pending *Payment
	counted bool

	// next is the next payment's number; paidAt is when the last one was accepted, or none was due,
	// and failed why one was not answered since.
	next   int
	paidAt time.Time
	failed error
}

// Hold opens a session, or continues the one that an earlier run of the same request opened, pays
// for it while it lasts, and stops it. It ends with the options or with ctx, and before a payment
// that the terms do not allow. It returns what was paid also when it fails.
//
// It fails as Call does; with policy.ErrLimit when the price was raised; with *SessionLostError when
// the orchestrator ends the session, or cannot be reached, or what makes the payments; with Run's error; and with ctx's.
func (c *Caller) Hold(ctx context.Context, r *Request, o SessionOptions) (*Result, error) {
	c, r, err := c.ready(r)
	if err != nil {
		return nil, err
	}
	h := &held{Caller: c, result: newResult(nil)}
	opened, err := h.open(ctx, r)
	if opened == nil {
		if h.result.Payments == 0 {
			return nil, err
		}
		return h.result, err
	}
	h.result.Session = opened
	if err == nil {
		err = h.hold(ctx, *opened, o)
	}
	if errors.Is(err, pay.ErrInProgress) {
		return h.result, err // another process pays the session, and stops it
	}
	if stopErr := h.stop(context.WithoutCancel(ctx), *opened); stopErr != nil && !errors.As(err, new(*SessionLostError)) {
		err = errors.Join(err, fmt.Errorf("session %s may still be open: %w", opened.ID, stopErr))
	}
	return h.result, err
}

// hold pays until the session is to end.
func (h *held) hold(ctx context.Context, opened Session, o SessionOptions) error {
	running, end := context.WithCancel(ctx)
	defer end()
	ran := make(chan error, 1)
	if o.Run != nil {
		go func() {
			defer end() // what is signed meanwhile is not needed any more
			ran <- o.Run(running, opened)
		}()
	}
	var over <-chan time.Time
	paying := running // which a payment that is made does not outlast
	if o.For > 0 {
		over = h.After(o.For)
		limited, stop := context.WithTimeout(running, o.For)
		defer stop()
		paying = limited
	}
	for {
		var due <-chan time.Time
		if h.challenge.Type != live.Fixed {
			due = h.After(h.wait())
		}
		var err error
		select {
		case err = <-ran:
			return err
		case <-over:
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-due:
			select {
			case err = <-ran: // of two that are ready, select takes any
				return err
			case <-over:
			default:
				err = h.pay(ctx, paying)
				unneeded := paying.Err() != nil && ctx.Err() == nil && errors.Is(err, paying.Err()) && !errors.As(err, new(*SessionLostError))
				if err == nil || unneeded {
					continue
				}
			}
		}
		end()
		if o.Run != nil {
			<-ran // which ended with the session
		}
		return err
	}
}

// wait is the time until the next payment. A second that has begun counts whole for a remote signer, which
// bills by its own clock.
func (h *held) wait() time.Duration {
	if _, own := h.Purse.(ownPurse); own || h.challenge.Type != live.Seconds {
		return payEvery
	}
	return payEvery - (h.Now().Sub(h.session.LastUpdate)+early)%time.Second
}

// open opens the session with its first payment, or finds it in the records of an earlier run.
// It returns a session that must be stopped also with an error.
func (h *held) open(ctx context.Context, r *Request) (*Session, error) {
	first, err := h.Purse.Recorded(ctx, 0)
	if err != nil {
		return nil, err
	}
	if first == nil {
		var free *http.Response
		first, free, err = h.first(ctx, r, func(due *Due) error {
			if due.PaymentURL == "" && due.Type != live.Fixed {
				return fmt.Errorf("%w (%s): status 402 for a session that is paid by time, without payment_url", pay.ErrMalformed, r.Target.Origin)
			}
			return nil
		})
		switch {
		case err != nil || first != nil:
		case free.StatusCode >= http.StatusBadRequest:
			err = h.pass(free, newResult(nil))
		default:
			free.Body.Close()
			err = fmt.Errorf("%w (%s): it answers the request for a session without asking for payment, status %d", pay.ErrMalformed, r.Target.Origin, free.StatusCode)
		}
		if err != nil {
			return nil, err
		}
	}
	if first.Record != nil && first.Record.State == store.Refused {
		return nil, &pay.RefusedBeforeError{ID: first.Record.ID, Outcome: first.Record.Outcome, At: first.Record.At}
	}
	if first.Record != nil && first.Record.State == store.Accepted {
		return h.resume(ctx, first)
	}
	return h.begin(ctx, r, first)
}

// begin sends the request for a session with its first payment.
func (h *held) begin(ctx context.Context, r *Request, first *Payment) (*Session, error) {
	if err := h.Terms.repeats(new(big.Rat), first); err != nil {
		return nil, err
	}
	sent := first.sentBefore()
	response, err := h.send(ctx, r, first, true)
	switch {
	case err == nil:
	case cannotBeSent(err) && !sent:
		if err := h.Purse.Drop(ctx, first); err != nil {
			return nil, err
		}
		return h.open(ctx, r)
	case errors.As(err, new(*pay.UnknownOutcomeError)):
		// It may be open, and would cost more only if it were paid.
		h.count(first)
		return first.guessed(), err
	case errors.As(err, new(*pay.RefusedError)):
		h.count(first)
		return nil, err
	default:
		return nil, err
	}
	h.count(first)
	h.accepted(first)
	if sent && response.StatusCode == http.StatusConflict {
		response.Body.Close()
		opened := first.guessed()
		noted := h.Purse.End(context.WithoutCancel(ctx), first, store.Accepted, encode(opened))
		return opened, errors.Join(&SessionLostError{opened.ID, errAnswerLost}, noted)
	}
	h.result.Status = response.StatusCode
	body, err := readOwn(response)
	opened := new(Session)
	if err == nil && response.StatusCode < http.StatusBadRequest {
		err = json.Unmarshal(body, opened)
	}
	if opened.ID == "" || opened.ControlURL == "" || payable(opened.ControlURL, r.Target.Origin) != nil {
		app := opened.AppURL
		opened = first.guessed()
		opened.AppURL = app
	}
	if payable(opened.AppURL, r.Target.Origin) != nil { // what uses it could read a file, or take it for an option
		if err == nil && response.StatusCode < http.StatusBadRequest {
			err = fmt.Errorf("app_url %.100q is not the URL of an app that can be reached from here", opened.AppURL)
		}
		opened.AppURL = ""
	}
	if noted := h.Purse.End(context.WithoutCancel(ctx), first, store.Accepted, encode(opened)); noted != nil {
		return opened, errors.Join(err, noted)
	}
	if err != nil {
		return opened, fmt.Errorf("%w (%s): the answer to a paid session: %w", pay.ErrMalformed, r.Target.Origin, err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return opened, h.pass(response, h.result)
}

// resume continues a session with the payments of an earlier run.
func (h *held) resume(ctx context.Context, first *Payment) (*Session, error) {
	opened := new(Session)
	if json.Unmarshal([]byte(first.Record.Outcome), opened) != nil || opened.ControlURL == "" {
		opened = first.guessed()
	}
	for p := first; p != nil; {
		paid := new(big.Rat).Set(h.result.Paid)
		h.count(p)
		h.next = p.Number + 1
		if p.Record.State == store.Accepted {
			h.accepted(p)
		} else {
			h.pending, h.counted = p, true
		}
		if p.Record.State == store.Refused {
			return opened, &pay.RefusedBeforeError{ID: p.Record.ID, Outcome: p.Record.Outcome, At: p.Record.At}
		}
		if h.pending != nil {
			if err := h.Terms.repeats(paid, p); err != nil {
				return opened, err
			}
		}
		var err error
		if p, err = h.Purse.Recorded(ctx, h.next); err != nil {
			return opened, err
		}
	}
	h.paidAt = h.session.LastUpdate
	// A ticket may have paid for longer.
	if _, err := h.due(h.challenge, h.next, h.session, h.result.Paid); errors.Is(err, live.ErrNoTickets) {
		h.paidAt = h.Now()
	}
	if err := h.checkPaid(); err != nil {
		return opened, err
	}
	h.paidAt = h.Now()
	if h.pending != nil || h.challenge.Type == live.Fixed {
		return opened, nil
	}
	// A session that has ended takes no tickets, so none are created before it is known to be open.
	fresh, err := h.refresh(ctx)
	if err != nil {
		return opened, h.tolerate(err)
	}
	h.challenge = fresh
	return opened, nil
}

func encode(s *Session) string {
	text, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(text)
}

// guessed is the session of a payment whose answer is not known, as its payment URL names it.
func (p *Payment) guessed() *Session {
	control, _ := strings.CutSuffix(p.PaymentURL, "/payment")
	return &Session{ID: p.ManifestID, ControlURL: control}
}

// count adds a payment that is sent, or may have been, to the result.
func (h *held) count(p *Payment) {
	h.result.add(p)
	h.challenge, h.session = p.Challenge, p.Session
}

// accepted notes a payment that has arrived.
func (h *held) accepted(p *Payment) {
	h.challenge, h.session, h.next = p.Challenge, p.Session, p.Number+1
	h.pending, h.counted = nil, false
	h.paidAt, h.failed = h.Now(), nil
}

// pay makes the payment that is due now, or sends one again that may not have arrived. A nil error
// may also be a failure that the next payment makes up for. It makes none once running has ended; one that is
// on its way has its own time.
func (h *held) pay(ctx, running context.Context) error {
	if err := h.checkOpen(running); err != nil {
		return h.tolerate(err)
	}
	if h.pending == nil {
		p, err := h.make(running)
		if errors.Is(err, live.ErrNoTickets) {
			h.paidAt, h.failed = h.Now(), nil
			return nil
		}
		if err != nil {
			return h.tolerate(err)
		}
		h.pending, h.counted = p, false
		if err := h.checkOpen(running); err != nil { // what makes payments may have been slow
			return h.tolerate(err)
		}
	}
	p := h.pending
	answer, err := h.deliver(ctx, p)
	var refused *pay.RefusedError
	var unknown *pay.UnknownOutcomeError
	if !h.counted && (err == nil || errors.As(err, &refused) || errors.As(err, &unknown)) {
		h.count(p)
		h.counted = true
	}
	switch {
	case err == nil:
	case cannotBeSent(err) && !p.sentBefore():
		h.pending = nil
		return h.tolerate(h.Purse.Drop(ctx, p))
	default:
		return h.tolerate(err)
	}
	// It has arrived, recorded or not: the next one that is recorded shows that.
	noted := h.Purse.End(context.WithoutCancel(ctx), p, store.Accepted, "")
	h.accepted(p)
	next, err := h.offered(p, answer)
	if next != nil {
		h.challenge = next
	}
	return errors.Join(err, h.tolerate(noted))
}

// tolerate passes over an orchestrator, and whatever makes its payments, that cannot be reached for a while.
func (h *held) tolerate(err error) error {
	passes := slices.ContainsFunc([]error{pay.ErrUnreachable, client.ErrUnreachable, client.ErrBusy, chain.ErrUnreachable, store.ErrUnreachable}, func(target error) bool {
		return errors.Is(err, target)
	})
	if !passes && !errors.As(err, new(*pay.UnknownOutcomeError)) {
		return err
	}
	h.failed = err
	return h.checkPaid()
}

// unpaid is how long the session was not paid.
func (h *held) unpaid() time.Duration {
	age, _ := clock.Age(h.Now(), h.paidAt)
	return age
}

// checkPaid fails for a session that was not paid for so long that its orchestrator has probably
// ended it.
func (h *held) checkPaid() error {
	unpaid := h.unpaid()
	if unpaid <= patience {
		return nil
	}
	age := duration.Text(unpaid.Round(time.Second))
	why := fmt.Errorf("it was last paid %s ago and may have ended, so pmctl pays nothing more for it", age)
	if h.failed != nil {
		why = fmt.Errorf("no payment was answered for %s: %w", age, h.failed)
	}
	return &SessionLostError{h.challenge.ManifestID, why}
}

// checkOpen asks the orchestrator whether it still has the session, if that was not paid for a while:
// a payment may have failed, or the process or the machine stood still. Tickets for a session that has
// ended would be lost, those of a payment that has not arrived, too.
func (h *held) checkOpen(ctx context.Context) error {
	if err := h.checkPaid(); err != nil || h.unpaid() <= doubtAfter {
		return err
	}
	fresh, err := h.refresh(ctx)
	if err != nil {
		return err
	}
	h.challenge = fresh
	return nil
}

// make makes the payment that is due now, from fresh ticket params where those at hand cannot be
// used any more.
func (h *held) make(ctx context.Context) (*Payment, error) {
	p, err := h.makeFrom(ctx, h.challenge)
	if !needsRefresh(err) {
		return p, err
	}
	fresh, err := h.refresh(ctx)
	if err != nil {
		return nil, err
	}
	h.challenge = fresh
	return h.makeFrom(ctx, fresh)
}

func (h *held) makeFrom(ctx context.Context, challenge *Challenge) (*Payment, error) {
	due, err := h.due(challenge, h.next, h.session, h.result.Paid)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, patience-h.unpaid())
	defer cancel()
	p, err := h.Purse.Pay(limited, *due)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		err = hint.Kind(limited.Err(), fmt.Errorf("no payment was signed for %v: the remote signer, or the node or the agent of the account, did not answer", duration.Text(patience)))
		return nil, &SessionLostError{challenge.ManifestID, err}
	}
	return p, err
}
