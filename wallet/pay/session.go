package pay

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
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
	// for; nil for a payment of its own. Record is not used.
	Request *store.Request

	// Requests remember payments that have a Request, and those that take more than one
	// delivery, which get one with this Digest. Without Requests there are neither.
	Requests Requests
	Digest   string

	// Unlock opens the sender's key. It is called once, when everything that can be
	// refused without it has been looked at.
	Unlock func(ctx context.Context) (signer.Source, error)

	// Unattended tells that Unlock asks no person. The chain is then asked about the sender
	// and fresh params together, and about the sender alone only when there are none.
	Unattended bool
}

// Payment is a payment that the recipient accepted.
type Payment struct {
	// Offer is what was paid on, and Continued tells that it was kept from before.
	Offer     *Offer
	Continued bool

	// Parts are what was paid, by delivery, and Tickets are those of the first one. Sent is
	// how many deliveries this call made.
	Parts   []*Tickets
	Tickets *Tickets
	Sent    int

	// Before is the request as it was found, when it was begun before this call: the first
	// of its tickets that were not accepted then, if there are any.
	Before *store.Record

	// NextErr is why no fresh params are kept for the next payment; nil when they are.
	NextErr error
}

// AcceptedBefore tells that it was a request whose tickets were all accepted before.
func (p *Payment) AcceptedBefore() bool {
	return p.Before != nil && p.Before.State == store.Accepted
}

// Total is what all parts come to.
func (p *Payment) Total() policy.Sum {
	total := policy.Cost(0, nil, nil)
	for _, t := range p.Parts {
		total = total.Plus(policy.Cost(uint64(t.Nonces.Count), t.TicketEV, t.Params.FaceValue))
	}
	return total
}

// Pay pays the amount: in one delivery, or in several when its header would be larger than
// the recipient takes, or when it takes more tickets than one set of params does. The whole
// amount is held to the limits before any of it is signed, and what is left of it before
// each set.
//
// A recipient that refuses tickets has them nevertheless, and may redeem what wins of them,
// so that no others follow, whatever reason the refusal gives. The one payment that begins
// anew is one on kept params that could not be sent.
//
// A payment with a Request that was begun before is continued. What was accepted is not
// sent again. When the outcome of a delivery is not known the same tickets are delivered
// again: a recipient that has them refuses them, so that they are never paid twice. When
// it says that it has them, or they have expired, what is due beside them is paid. Where
// nothing of a delivery was ever sent, and its params have expired, others are made for it.
// What is then still due of the amount is paid.
//
// It fails as Client.Fetch, Pins.Check, Payer.Plan, Payer.Reserve and SegmentHeader do,
// with what Kept and Unlock fail with, and as Requests do; with *UnreachableError when
// nothing was sent, with *RefusedBeforeError for a request that was refused, and with a
// *DeliveryError when something was sent that is not known to be accepted. The nonces of
// such tickets are spent and their params no longer kept. When parts of it were accepted
// before, each of these is wrapped by a *PartialError.
func (s *Session) Pay(ctx context.Context, amount Amount) (*Payment, error) {
	if err := amount.check(); err != nil {
		return nil, err
	}
	p := &paying{Session: s, amount: amount, request: s.Request, made: policy.Cost(0, nil, nil), unsure: make(map[partID]error)}
	if err := p.run(ctx); err != nil {
		return nil, err
	}
	return p.result(), nil
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
	if errors.As(err, new(*policy.Refusal)) || errors.As(err, new(*OverpayError)) || errors.Is(err, ErrWorthless) || errors.As(err, new(*store.RetiredError)) {
		// Fresh params may fare better; if not they are refused in their own words.
		return nil, nil, nil
	}
	return offer, plan, err
}

// fetch asks the recipient for fresh params that may be used.
func (s *Session) fetch(ctx context.Context, key signer.Source) (*Offer, error) {
	request, err := wire.NewOrchestratorRequest(signer.ForPM(ctx, key))
	if err != nil {
		return nil, err
	}
	offer, err := s.Client.Fetch(ctx, s.URL, request)
	if err != nil {
		return nil, err
	}
	if err := s.Pins.Check(ctx, s.URL, offer.Params.Recipient); err != nil {
		return nil, err
	}
	return offer, CheckToken(s.URL, offer.Info.GetAuthToken(), s.Client.now())
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
