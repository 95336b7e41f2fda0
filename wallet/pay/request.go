package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
)

// Requests remember what was made for requests that have a name, and what became of it.
type Requests interface {
	// Requested returns what was made for a request, nil when nothing was.
	Requested(ctx context.Context, sender common.Address, request store.Request) (*store.Record, error)

	// BeginDelivery notes that a request is about to be delivered; it fails with
	// *store.RequestMovedError when another process has changed it since it was read.
	BeginDelivery(ctx context.Context, sender common.Address, r *store.Record) error

	// EndDelivery notes how a delivery ended, and returns the request as it is then.
	EndDelivery(ctx context.Context, sender common.Address, r *store.Record, end store.State, outcome string) (*store.Record, error)

	// ReleaseRequest forgets a request of which nothing was sent, so that it may be made
	// anew.
	ReleaseRequest(ctx context.Context, sender common.Address, r *store.Record) error
}

// delivery is a payment that is ready to be delivered.
type delivery struct {
	offer     *Offer
	tickets   *Tickets
	segment   string
	continued bool

	// record is the request's, nil for a payment that has none. Released tells that
	// nothing was sent, and that the request may be made anew.
	record   *store.Record
	released bool
}

func (d *delivery) payment() *Payment {
	return &Payment{Offer: d.offer, Continued: d.continued, Tickets: d.tickets}
}

// requested returns what was made for the session's request, if it has one and
// something was.
func (s *Session) requested(ctx context.Context) (*store.Record, error) {
	if s.Request == nil {
		return nil, nil
	}
	return s.Requests.Requested(ctx, s.Payer.Sender, *s.Request)
}

// RefusedBeforeError is a request that has failed for good.
type RefusedBeforeError struct {
	// ID is the request's, Outcome what the recipient said, At when it was made.
	ID, Outcome string
	At          time.Time
}

func (e *RefusedBeforeError) Error() string {
	return fmt.Sprintf("request %q of %s was refused by the recipient, and is not sent again: %s", e.ID, e.At.Format(time.RFC3339), e.Outcome)
}

// Hint says what to do.
func (e *RefusedBeforeError) Hint() string {
	return "some of its tickets may have been taken without being credited; pay again under another id"
}

// repeat goes on with a request that was begun before. It returns no payment and no
// error when the request was never sent and cannot be any more: it is then to be made
// anew.
func (s *Session) repeat(ctx context.Context, before *store.Record) (*Payment, error) {
	recipe, tickets, err := s.Payer.Recall(before)
	if err != nil {
		return nil, err
	}
	u, err := ParseURL(recipe.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: request %q: %w", store.ErrDamaged, before.ID, err)
	}
	offer, err := NewOffer(u, s.Payer.Sender, recipe.FetchedAt, recipe.Info)
	if err != nil {
		return nil, fmt.Errorf("%w: request %q: %w", store.ErrDamaged, before.ID, err)
	}
	d := &delivery{offer: offer, tickets: tickets, segment: recipe.Segment, continued: recipe.Continued, record: before}
	switch before.State {
	case store.Accepted:
		payment := d.payment()
		payment.Before = before
		return payment, nil
	case store.Refused:
		return nil, &RefusedBeforeError{before.ID, before.Outcome, before.At}
	}
	if err := s.deliverable(ctx, d); err != nil {
		switch {
		case !errors.As(err, new(*policy.Refusal)) && !errors.As(err, new(*wire.ExpiredTokenError)):
			return nil, err
		case before.State == store.Sent:
			return nil, s.unknown(d, fmt.Errorf("it cannot be sent again: %w", err))
		}
		return nil, s.release(ctx, before)
	}
	signer, err := s.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	found := *before
	payment, err := s.deliver(ctx, signer, d)
	if payment != nil && payment.Before == nil {
		payment.Before = &found
	}
	if d.released {
		return nil, nil
	}
	return payment, err
}

// release forgets a request of which nothing was sent, so that it is made anew.
func (s *Session) release(ctx context.Context, r *store.Record) error {
	return inProgress(s.Requests.ReleaseRequest(ctx, s.Payer.Sender, r))
}

// ErrInProgress is returned for a request that another process is making at the same time.
var ErrInProgress = errors.New("another process is making this request at this moment: run it again for its outcome")

// inProgress has a request that another process has changed match ErrInProgress.
func inProgress(err error) error {
	var moved *store.RequestMovedError
	if errors.As(err, &moved) {
		return fmt.Errorf("%w: %q", ErrInProgress, moved.ID)
	}
	return err
}

// deliverable tells whether a payment made earlier may still be delivered: expired
// tickets can win, and are not credited.
func (s *Session) deliverable(ctx context.Context, d *delivery) error {
	if err := d.offer.Info.GetAuthToken().Check(s.Client.now()); err != nil {
		return err
	}
	if err := s.Payer.checkLedger(ctx, d.tickets); err != nil {
		return err
	}
	return s.Payer.check(ctx, &Plan{Params: d.tickets.Params}, uint64(d.tickets.Count))
}

// request returns the plan's request with what makes its tickets again.
func (s *Session) request(offer *Offer, plan *Plan, amount Amount, segment string, continued bool) (*store.Request, error) {
	if s.Request == nil {
		return nil, nil
	}
	recipe := Recipe{
		Info: offer.Info, URL: offer.URL.String(), FetchedAt: offer.FetchedAt,
		Expiration: plan.Expiration, Segment: segment, Value: amount.Value, Continued: continued,
	}
	record, err := recipe.Encode()
	return &store.Request{ID: s.Request.ID, Digest: s.Request.Digest, Record: record}, err
}

// begin notes that a payment is about to be delivered. From here on it may have been. It
// returns a payment that another process has had accepted since the request was read.
func (s *Session) begin(ctx context.Context, d *delivery) (*Payment, error) {
	if d.record == nil {
		return nil, nil
	}
	err := s.Requests.BeginDelivery(ctx, s.Payer.Sender, d.record)
	var moved *store.RequestMovedError
	if !errors.As(err, &moved) || moved.Now == nil {
		return nil, inProgress(err)
	}
	switch now := moved.Now; now.State {
	case store.Accepted:
		payment := d.payment()
		payment.Before = now
		return payment, nil
	case store.Refused:
		return nil, &RefusedBeforeError{now.ID, now.Outcome, now.At}
	}
	return nil, inProgress(err)
}

// accepted notes that the recipient has accepted a payment.
func (s *Session) accepted(ctx context.Context, d *delivery) error {
	if d.record == nil {
		return nil
	}
	_, err := s.Requests.EndDelivery(ctx, s.Payer.Sender, d.record, store.Accepted, "")
	return err
}

// failed notes what a delivery that failed means for its request, and returns the error
// to report, or the payment when another process has had it accepted.
func (s *Session) failed(ctx context.Context, d *delivery, err error) (*Payment, error) {
	if d.record == nil {
		return nil, err
	}
	end, outcome := store.Reserved, "" // no ticket has left
	var refused *RefusedError
	switch {
	case errors.As(err, new(*UnknownOutcomeError)):
		end = store.Sent
	case errors.As(err, &refused):
		end, outcome = store.Refused, refused.Text
	}
	now, noteErr := s.Requests.EndDelivery(ctx, s.Payer.Sender, d.record, end, outcome)
	if noteErr != nil {
		if end != store.Reserved {
			// Whether another delivery was accepted is in the store, which does not answer.
			err = s.unknown(d, err)
		}
		return nil, errors.Join(err, noteErr)
	}
	d.record = now
	switch {
	case now.State == store.Accepted:
		return d.payment(), nil
	case end == store.Refused && now.State != store.Refused:
		return nil, s.unknown(d, err)
	case now.State == store.Reserved && d.offer.Transcoder != s.URL:
		// Fresh params may name another place: the request is not bound to this one.
		noteErr = s.release(ctx, now)
		d.released = noteErr == nil
		return nil, errors.Join(err, noteErr)
	}
	return nil, err
}

// unknown says that it is still not known what became of a payment.
func (s *Session) unknown(d *delivery, err error) error {
	return &UnknownOutcomeError{URL: d.offer.Transcoder.String(), Err: err, Request: d.record.ID}
}

// signed returns the headers that deliver the tickets.
func (d *delivery) signed(ctx context.Context, signer pm.Signer) (Headers, error) {
	batch, err := d.tickets.Batch(ctx, signer)
	if err != nil {
		return Headers{}, err
	}
	return headersOf(batch, d.segment)
}
