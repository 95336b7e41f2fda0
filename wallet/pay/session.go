package pay

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// Kept stores the last offer of each recipient, so that a session continues across runs.
type Kept interface {
	// Load returns the offer kept for a sender and a recipient, or nil.
	Load(ctx context.Context, sender common.Address, u URL) (*Offer, error)

	// Save replaces the kept offer.
	Save(ctx context.Context, offer *Offer) error

	// Drop removes the offer kept for a sender and a recipient.
	Drop(ctx context.Context, sender common.Address, u URL) error
}

// Session pays one recipient, on the params from the last payment while they are valid. Payer, Client,
// Kept, Pins.Known and Unlock must be set.
type Session struct {
	Payer  *Payer
	Client *Client
	Kept   Kept
	Pins   Pins

	// URL is where to fetch params.
	URL URL
	// Credits are what sessions were paid beyond what was asked for; nil uses none.
	Credits Credits

	// Request makes the payment idempotent; nil for none. Its Record is not used.
	Request *store.Request

	// Requests stores payments that have a Request, and those that take more than one delivery,
	// which get one with this Digest. Without Requests a Request fails, and a payment takes one
	// delivery at most.
	Requests Requests
	Digest   string

	// Unlock opens the sender's key. It is called once, after all checks that need no key.
	Unlock func(ctx context.Context) (signer.Source, error)

	// Unattended reports whether Unlock asks no question. The chain is then asked about the sender
	// together with fresh params, and about the sender alone only if there are none.
	Unattended bool
}

// Payment is a payment that the recipient accepted.
type Payment struct {
	// Offer is what was paid on. Continued reports whether it was kept from an earlier payment.
	Offer     *Offer
	Continued bool

	// Parts are the deliveries; Tickets are the tickets of the first. Sent counts the deliveries of
	// this call.
	Parts   []*Tickets
	Tickets *Tickets
	Sent    int

	// Before is the request as it was found, if it was begun before: the first of its records that
	// was not accepted, if any.
	Before *store.Record

	// NextErr is why no fresh params are kept for the next payment; nil if they are.
	NextErr error

	// Credit is the part of the value that the recipient already had, in wei; nil for none.
	Credit *big.Rat
}

// AcceptedBefore reports that all tickets of the request had been accepted before.
func (p *Payment) AcceptedBefore() bool {
	return p.Before != nil && p.Before.State == store.Accepted
}

// Total is the sum of all parts.
func (p *Payment) Total() policy.Sum {
	total := policy.Cost(0, nil, nil)
	for _, t := range p.Parts {
		total = total.Plus(policy.Cost(uint64(t.Nonces.Count), t.TicketEV, t.Params.FaceValue))
	}
	return total
}

// Pay pays the amount: in one delivery, or in several if the header would exceed what the recipient
// accepts, or if one set of params allows too few tickets. The whole amount is checked against the
// limits before anything is signed, and the rest of it before each set.
//
// A recipient that refuses tickets still has them and may redeem winners among them, so no others
// are sent after a refusal. Only a payment on kept params that could not be sent starts again with
// fresh ones.
//
// A payment whose Request was begun before is continued. Accepted tickets are not sent again. If
// the outcome of a delivery is unknown, the same tickets are delivered again: a recipient that has
// them refuses them, so they are never paid twice. If it refuses them for that reason, or they have
// expired, the rest is paid. If nothing of a delivery was ever sent and its params have expired,
// other tickets replace it.
//
// Pay returns the errors of Client.Fetch, Pins.Check, Payer.Plan, Payer.Reserve, SegmentHeader,
// Kept, Unlock and Requests; ErrUnreachable if nothing was sent; *RefusedBeforeError for a
// refused request; and *RefusedError or *UnknownOutcomeError if something was sent that is not known to be accepted. The
// nonces of such tickets are spent and their params dropped. If parts were accepted before, a
// *PartialError wraps the error.
func (s *Session) Pay(ctx context.Context, amount Amount) (*Payment, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := amount.check(); err != nil {
		return nil, err
	}
	p := &paymentRun{Session: s, amount: amount, request: s.Request, made: policy.Cost(0, nil, nil), unsure: make(map[partID]error)}
	err := p.run(ctx)
	if together := s.Payer.Together; together != nil {
		*together = together.Plus(p.made) // also if it failed: the recipient may have the tickets
	}
	if err != nil {
		return nil, err
	}
	p.keepCredit(context.WithoutCancel(ctx))
	return p.result(), nil
}

// check fails for a session without what it pays with.
func (s *Session) check() error {
	switch {
	case s.Payer == nil, s.Client == nil, s.Kept == nil, s.Pins.Known == nil, s.Unlock == nil:
		return errors.New("a session needs a Payer, a Client, Kept, Pins.Known and Unlock")
	case s.Request != nil && s.Requests == nil:
		return errors.New("a session with a Request needs Requests")
	}
	return nil
}

// kept returns the kept offer with a plan on it; nil if there is none or the amount cannot be paid
// on it.
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
	var credit store.Credit
	if amount.usesCredit() {
		if credit, err = s.credit(ctx, offer); err != nil {
			return nil, nil, err
		}
		if credit.Amount != nil {
			amount.Credit = new(big.Rat).SetInt(credit.Amount)
		}
	}
	plan, err := s.Payer.Plan(ctx, offer.Params, amount)
	if err == nil {
		plan.credit = credit
	}
	if errors.Is(err, policy.ErrInactive) {
		return nil, nil, err // no params of this recipient would help
	}
	if errors.As(err, new(*policy.Refusal)) || errors.Is(err, errOverpays) || errors.Is(err, ErrWorthless) || errors.Is(err, store.ErrRetired) {
		// Fresh params may be better; if not, their refusal is reported.
		return nil, nil, nil
	}
	return offer, plan, err
}

// fetch asks the recipient for fresh params and checks them.
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

// tokenMargin is the least remaining lifetime of an auth token to keep.
const tokenMargin = time.Minute

// stay keeps a session's auth token while it is valid, instead of the new one in each answer, since
// credit is booked by the token's session.
func (s *Session) stay(paid, next *Offer) {
	token := paid.Info.GetAuthToken()
	if token.Check(s.Client.now().Add(tokenMargin)) == nil {
		next.Info.AuthToken = token
	}
}
