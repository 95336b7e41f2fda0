package call

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// Account is the Purse of an account whose key is at hand, or in an agent. Payer, Pins.Known and
// Unlock must be set, and Requests with a Request.
type Account struct {
	// Payer plans and reserves, Pins are the addresses behind URLs.
	Payer *pay.Payer
	Pins  pay.Pins

	// Unlock opens the key, after all checks that need none.
	Unlock func(ctx context.Context) (signer.Source, error)

	// Request names the call, so that it is paid once; nil for none. Its first payment has the
	// request's own ID, and each later one ID/NUMBER. Requests records them.
	Request  *store.Request
	Requests pay.Requests

	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

var _ Purse = (*Account)(nil)

func (a *Account) now() time.Time {
	if a.Now == nil {
		return time.Now()
	}
	return a.Now()
}

// check fails for an account without what it pays with.
func (a *Account) check() error {
	if a.Payer == nil || a.Pins.Known == nil || a.Unlock == nil || a.Request != nil && a.Requests == nil {
		return errors.New("an Account needs a Payer, Pins.Known and Unlock, and Requests with a Request")
	}
	return nil
}

// Sender implements Purse.
func (a *Account) Sender() common.Address { return a.Payer.Sender }

// Check implements Purse: the pin, the limits, the chain and the budget.
func (a *Account) Check(ctx context.Context, due Due) error {
	_, err := a.plan(ctx, due)
	return err
}

func (a *Account) plan(ctx context.Context, due Due) (*pay.Plan, error) {
	offer := due.Offer
	if err := pay.CheckToken(offer.URL, offer.Info.GetAuthToken(), a.now()); err != nil {
		return nil, err
	}
	if err := a.Pins.Check(ctx, offer.URL, offer.Params.Recipient); err != nil {
		return nil, err
	}
	return a.Payer.Plan(ctx, offer.Params, pay.Amount{Count: uint64(due.Bill.Tickets)})
}

// Pay implements Purse.
func (a *Account) Pay(ctx context.Context, due Due) (*Payment, error) {
	plan, err := a.plan(ctx, due)
	if err != nil {
		return nil, err
	}
	key, err := a.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	offer := due.Offer
	segment, err := pay.SegmentHeader(ctx, key, offer.Info.GetAuthToken(), a.now())
	if err != nil {
		return nil, err
	}
	p := &Payment{
		Challenge: due.Challenge, Number: due.Number, Tickets: due.Bill.Tickets, TicketEV: due.Bill.TicketEV,
		Units: due.Bill.Units, Fee: due.Bill.Fee, Paid: due.Bill.Paid(),
	}
	at := due.At
	if due.Before == nil { // a session does not begin while the key is opened
		at = a.now()
	}
	// The session's own nonces are the ledger's to count.
	if p.Session, err = due.Before.Next(due.request(at), due.Bill, due.ManifestID, offer.Params.RecipientRandHash, due.Bill.Tickets, live.Auth{}); err != nil {
		return nil, err
	}
	if a.Request != nil {
		if plan.Request, err = a.recorded(p, plan, segment); err != nil {
			return nil, err
		}
	}
	if err := a.Pins.Keep(ctx, offer.URL, offer.Params.Recipient); err != nil {
		return nil, err
	}
	p.tickets, err = a.Payer.Reserve(ctx, plan)
	if err != nil {
		return nil, inProgress(err)
	}
	if p.tickets.Before != nil { // another process made it
		return a.Recorded(ctx, due.Number)
	}
	if plan.Request != nil {
		p.Record = &store.Record{
			ID: plan.Request.ID, Digest: plan.Request.Digest, Record: plan.Request.Record, Set: 1, State: store.Reserved,
			RecipientRandHash: offer.Params.RecipientRandHash, Nonces: p.tickets.Nonces,
		}
	}
	return p, a.sign(ctx, key, p, segment)
}

// sign makes the payment's headers, the same ones each time.
func (a *Account) sign(ctx context.Context, key signer.Source, p *Payment, segment string) error {
	batch, err := p.tickets.Batch(ctx, key)
	if err != nil {
		return err
	}
	payment, err := wire.PaymentFor(batch)
	if err != nil {
		return err
	}
	payment.ExpectedPrice = p.Offer.Info.GetPriceInfo() // whole, with the fields that are only carried
	value, err := wire.EncodeHeader(payment)
	p.Headers = pay.Headers{Payment: value, Segment: segment}
	return err
}

// note is what a call adds to the recipe of a payment.
type note struct {
	PaymentURL string          `json:"payment_url,omitempty"`
	App        string          `json:"app"`
	Units      int64           `json:"units"`
	Fee        string          `json:"fee"`
	Session    json.RawMessage `json:"session"`
	MovedTo    string          `json:"moved_to,omitempty"`
}

// request returns the request of a payment by its number.
func (a *Account) request(number int) store.Request {
	request := *a.Request
	if number > 0 {
		request.ID += "/" + strconv.Itoa(number)
	}
	return request
}

// recorded returns the request of a payment with its recipe.
func (a *Account) recorded(p *Payment, plan *pay.Plan, segment string) (*store.Request, error) {
	session, err := p.Session.Encode()
	if err != nil {
		return nil, err
	}
	recipe := pay.Recipe{Info: p.Offer.Info, URL: p.Offer.URL.String(), FetchedAt: p.Offer.FetchedAt, Expiration: plan.Expiration, Segment: segment}
	said := note{PaymentURL: p.PaymentURL, App: p.App, Units: p.Units, Fee: p.Fee.RatString(), Session: session}
	if p.MovedTo != nil {
		said.MovedTo = p.MovedTo.String()
	}
	if recipe.Call, err = json.Marshal(said); err != nil {
		return nil, err
	}
	request := a.request(p.Number)
	request.Record, err = recipe.Encode()
	return &request, err
}

// Recorded implements Purse.
func (a *Account) Recorded(ctx context.Context, number int) (*Payment, error) {
	if a.Request == nil {
		return nil, nil
	}
	records, err := a.Requests.Requested(ctx, a.Payer.Sender, a.request(number))
	if err != nil || len(records) == 0 {
		return nil, err
	}
	p, recipe, err := a.recall(ctx, records[0])
	if err != nil {
		return nil, err
	}
	p.Number = number
	if p.Record.State == store.Accepted || p.Record.State == store.Refused {
		return p, nil
	}
	key, err := a.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	return p, a.sign(ctx, key, p, recipe.Segment)
}

func (a *Account) recall(ctx context.Context, r *store.Record) (*Payment, *pay.Recipe, error) {
	recipe, tickets, err := a.Payer.Again(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	damaged := func(err error) (*Payment, *pay.Recipe, error) {
		return nil, nil, fmt.Errorf("%w: request %q: %w", store.ErrDamaged, r.ID, err)
	}
	var said note
	if err := json.Unmarshal(recipe.Call, &said); err != nil {
		return damaged(err)
	}
	session, err := live.DecodeSession(said.Session)
	if err != nil {
		return damaged(err)
	}
	fee, ok := new(big.Rat).SetString(said.Fee)
	if !ok {
		return damaged(errors.New("its fee is not a number"))
	}
	u, err := pay.ParseURL(recipe.URL)
	if err != nil {
		return damaged(err)
	}
	offer, err := pay.NewOffer(u, a.Payer.Sender, recipe.FetchedAt, recipe.Info)
	if err != nil {
		return damaged(err)
	}
	var movedTo *url.URL
	if said.MovedTo != "" {
		if movedTo, err = url.Parse(said.MovedTo); err != nil {
			return damaged(err)
		}
	}
	encoded, err := proto.Marshal(recipe.Info)
	if err != nil {
		return damaged(err)
	}
	return &Payment{
		Challenge: &Challenge{Offer: offer, Encoded: encoded, ManifestID: session.StateID, PaymentURL: said.PaymentURL, MovedTo: movedTo, App: said.App, Type: session.Type},
		Tickets:   tickets.Count, TicketEV: tickets.TicketEV, Units: said.Units, Fee: fee, Paid: tickets.TotalEV,
		Session: session, Record: r, tickets: tickets,
	}, recipe, nil
}

// Begin implements Purse. It checks again that a payment of an earlier run can be sent: expired
// tickets can win without being credited.
func (a *Account) Begin(ctx context.Context, p *Payment) error {
	if p.Record == nil {
		return nil
	}
	if err := pay.CheckToken(p.Offer.URL, p.Offer.Info.GetAuthToken(), a.now()); err != nil {
		return err
	}
	if p.tickets.Before != nil {
		if _, err := a.Payer.Propose(ctx, p.Offer.Params, pay.Amount{Count: uint64(p.Tickets)}); err != nil {
			return err
		}
	}
	return inProgress(a.Requests.BeginDelivery(ctx, a.Payer.Sender, p.Record))
}

// End implements Purse.
func (a *Account) End(ctx context.Context, p *Payment, end store.State, said string) error {
	if p.Record == nil {
		return nil
	}
	now, err := a.Requests.EndDelivery(ctx, a.Payer.Sender, p.Record, end, said)
	if err == nil {
		*p.Record = *now
	}
	return err
}

// Drop implements Purse.
func (a *Account) Drop(ctx context.Context, p *Payment) error {
	if p.Record == nil {
		return errNotRecorded
	}
	return inProgress(a.Requests.ReleaseRequest(ctx, a.Payer.Sender, store.Records{p.Record}))
}

// cannotBeSent reports whether an error of Begin says that a payment cannot be sent any more.
func cannotBeSent(err error) bool {
	return errors.As(err, new(*policy.Refusal)) || errors.As(err, new(*wire.ExpiredTokenError))
}

// inProgress makes a request that another process has changed match pay.ErrInProgress.
func inProgress(err error) error {
	if moved, ok := errors.AsType[*store.RequestMovedError](err); ok {
		return fmt.Errorf("%w: %q", pay.ErrInProgress, moved.ID)
	}
	return err
}
