package pay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
)

// Kept remembers the last offer of each recipient, so that a session goes on over
// runs.
type Kept interface {
	// Load returns the offer kept for a sender and a recipient, or nil.
	Load(ctx context.Context, sender common.Address, u URL) (*Offer, error)

	// Save keeps an offer in place of the one before.
	Save(ctx context.Context, offer *Offer) error

	// Drop forgets the offer kept for a sender and a recipient.
	Drop(ctx context.Context, sender common.Address, u URL) error
}

// Session pays one recipient, going on with the params of the last payment while they
// hold.
type Session struct {
	Payer  *Payer
	Client *Client
	Kept   Kept
	Pins   Pins

	// URL is where the recipient is asked for params.
	URL URL

	// Request names the payment, so that it is made once however often it is asked
	// for, and Requests remember it; nil for a payment of its own. Record is not used.
	Request  *store.Request
	Requests Requests

	// Unlock opens the sender's key. It is called once, when everything that can be
	// refused without it has been looked at.
	Unlock func(ctx context.Context) (pm.Signer, error)
}

// Payment is a payment that the recipient accepted.
type Payment struct {
	// Offer is what was paid on, and Continued tells that it was kept from before.
	Offer     *Offer
	Continued bool

	// Tickets are what was paid.
	Tickets *Tickets

	// Before is the request as it was found, when it was begun before this call.
	Before *store.Record

	// NextErr is why no fresh params are kept for the next payment; nil when they are.
	NextErr error
}

// Pay pays the amount: one batch, delivered once. A recipient that refuses a batch has
// it nevertheless, and may redeem what wins of it, so that no second one follows,
// whatever reason the refusal gives. The one payment that begins anew is one on kept
// params that could not be sent.
//
// A payment with a Request that was begun before is gone on with. When it was accepted
// nothing is done. When its outcome is not known the same tickets are delivered again:
// a recipient that has them refuses them, so that they are never paid twice. When
// nothing of it was ever sent, and its params have expired, it is made anew.
//
// It fails as Client.Fetch, Pins.Check, Payer.Plan, Payer.Reserve and SegmentHeader do,
// with what Kept and Unlock fail with, and as Requests do; with *UnreachableError when
// nothing was sent, with *RefusedBeforeError for a request that was refused, and with a
// *DeliveryError when something was sent that is not known to be accepted. The nonces of
// such tickets are spent and their params no longer kept.
func (s *Session) Pay(ctx context.Context, amount Amount) (*Payment, error) {
	if err := amount.check(); err != nil {
		return nil, err
	}
	before, err := s.requested(ctx)
	if err != nil {
		return nil, err
	}
	if before != nil {
		if payment, err := s.repeat(ctx, before); payment != nil || err != nil {
			return payment, err
		}
	}
	offer, plan, err := s.kept(ctx, amount)
	if err != nil {
		return nil, err
	}
	if offer == nil {
		if err := s.Payer.CheckSender(ctx); err != nil {
			return nil, err
		}
	}
	signer, err := s.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	if offer != nil {
		payment, err := s.pay(ctx, signer, offer, plan, amount, true)
		if !s.overtaken(offer, err) {
			return payment, err
		}
	}
	if offer, plan, err = s.fetch(ctx, signer, amount); err != nil {
		return nil, err
	}
	return s.pay(ctx, signer, offer, plan, amount, false)
}

// overtaken tells whether kept params that looked good have failed in a way in which
// nothing was sent, and fresh ones may fare better: nothing answers where they say to
// pay, or others have used up their nonces or pinned another address, and blocks went by,
// while the key was opened.
func (s *Session) overtaken(offer *Offer, err error) bool {
	if errors.Is(err, ErrUnreachable) {
		return offer.Transcoder != s.URL
	}
	return errors.Is(err, policy.ErrUnacceptable) || errors.As(err, new(*policy.Refusal)) || errors.As(err, new(*store.RetiredError)) || errors.As(err, new(*OtherRecipientError))
}

// kept returns the offer kept from before with a plan on it, or nil when there is none
// that the amount can be paid on.
func (s *Session) kept(ctx context.Context, amount Amount) (*Offer, *Plan, error) {
	offer, err := s.Kept.Load(ctx, s.Payer.Sender, s.URL)
	if err != nil || offer == nil {
		return nil, nil, err
	}
	if offer.Info.GetAuthToken().Check(s.Client.now()) != nil || !slices.Equal(offer.Works, s.Client.Works) {
		return nil, nil, nil
	}
	err = s.Pins.Check(ctx, s.URL, offer.Params.Recipient)
	if errors.As(err, new(*OtherRecipientError)) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	plan, err := s.Payer.Plan(ctx, offer.Params, amount)
	if errors.Is(err, policy.ErrInactive) {
		return nil, nil, err // no params of this recipient fare better
	}
	if errors.As(err, new(*policy.Refusal)) || errors.Is(err, ErrWorthless) || errors.As(err, new(*store.RetiredError)) {
		// Fresh params may fare better; if not they are refused in their own words.
		return nil, nil, nil
	}
	return offer, plan, err
}

func (s *Session) fetch(ctx context.Context, signer pm.Signer, amount Amount) (*Offer, *Plan, error) {
	request, err := wire.NewOrchestratorRequest(signer)
	if err != nil {
		return nil, nil, err
	}
	offer, err := s.Client.Fetch(ctx, s.URL, request)
	if err != nil {
		return nil, nil, err
	}
	if err := s.Pins.Check(ctx, s.URL, offer.Params.Recipient); err != nil {
		return nil, nil, err
	}
	if err := CheckToken(s.URL, offer.Info.GetAuthToken(), s.Client.now()); err != nil {
		return nil, nil, err
	}
	plan, err := s.Payer.Plan(ctx, offer.Params, amount)
	return offer, plan, err
}

// pay reserves, signs and delivers, and keeps what the recipient answers.
func (s *Session) pay(ctx context.Context, signer pm.Signer, offer *Offer, plan *Plan, amount Amount, continued bool) (*Payment, error) {
	// The credentials come first: without them the tickets are worth nothing.
	segment, err := SegmentHeader(signer, offer.Info.GetAuthToken(), s.Client.now())
	if err != nil {
		return nil, err
	}
	if plan.Request, err = s.request(offer, plan, amount, segment, continued); err != nil {
		return nil, err
	}
	if err := s.Pins.Keep(ctx, s.URL, offer.Params.Recipient); err != nil {
		return nil, err
	}
	tickets, err := s.Payer.Reserve(ctx, plan)
	if err != nil {
		return nil, err
	}
	if tickets.Before != nil {
		return nil, fmt.Errorf("%w: %q", ErrInProgress, tickets.Before.ID)
	}
	d := &delivery{offer: offer, tickets: tickets, segment: segment, continued: continued}
	if plan.Request != nil {
		d.record = &store.Record{
			ID: plan.Request.ID, Digest: plan.Request.Digest, State: store.Reserved,
			RecipientRandHash: plan.Params.RecipientRandHash, Nonces: tickets.Nonces,
		}
	}
	return s.deliver(ctx, signer, d)
}

// deliver signs and delivers, and keeps what the recipient answers.
func (s *Session) deliver(ctx context.Context, signer pm.Signer, d *delivery) (*Payment, error) {
	headers, err := d.signed(ctx, signer)
	if err != nil {
		return nil, err
	}
	if before, err := s.begin(ctx, d); before != nil || err != nil {
		return before, err
	}
	receipt, err := s.Client.Deliver(ctx, d.offer.Transcoder, s.Payer.Sender, headers)
	// Whatever came of the payment must be remembered even when ctx has ended.
	after := context.WithoutCancel(ctx)
	if err != nil {
		if errors.As(err, new(*RefusedError)) || errors.As(err, new(*UnknownOutcomeError)) {
			err = &DeliveryError{Tickets: d.tickets, Err: err}
		}
		return s.failed(after, d, errors.Join(err, s.Kept.Drop(after, s.Payer.Sender, s.URL)))
	}
	payment := d.payment()
	payment.NextErr = errors.Join(receipt.NextErr, s.accepted(after, d))
	if next := receipt.Next; next != nil && next.Params.Recipient != d.offer.Params.Recipient {
		receipt.Next = nil
		payment.NextErr = errors.Join(payment.NextErr, &OtherRecipientError{URL: s.URL.String(), Was: d.offer.Params.Recipient, Now: next.Params.Recipient})
	}
	if receipt.Next == nil {
		payment.NextErr = errors.Join(payment.NextErr, s.Kept.Drop(after, s.Payer.Sender, s.URL))
		return payment, nil
	}
	// Answers name the transcoder; the session is found again by its own URL.
	receipt.Next.URL = s.URL
	s.stay(d.offer, receipt.Next)
	payment.NextErr = errors.Join(payment.NextErr, s.Kept.Save(after, receipt.Next))
	return payment, nil
}

// tokenMargin is what an auth token must have left to be kept for another payment.
const tokenMargin = time.Minute

// stay keeps a session's auth token while it holds, in place of the new one that each
// answer brings: credit is booked under the token's session.
func (s *Session) stay(paid, next *Offer) {
	token := paid.Info.GetAuthToken()
	if token.Check(s.Client.now().Add(tokenMargin)) == nil {
		next.Info.AuthToken = token
	}
}
