package remote

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// Request is a request for a payment, with who sent it.
type Request struct {
	*offer

	// ID names the request in logs and usage records.
	ID string

	// Caller is who sent it.
	Caller Caller

	// Key makes a retry of a request without a state safe; "" is none.
	Key string

	// Headers are the request's, for an auth webhook.
	Headers http.Header
}

// Paid is a payment that was signed.
type Paid struct {
	*store.LivePayment
	*live.Answer

	params *pm.TicketParams
	// ev is what a ticket is worth, in wei.
	ev *big.Rat
}

// Sum is what its tickets come to.
func (p *Paid) Sum() policy.Sum {
	return policy.Cost(uint64(p.Nonces.Count), p.ev, p.params.FaceValue)
}

// fields are what the log says of it.
func (p *Paid) fields() []slog.Attr {
	return []slog.Attr{
		slog.Int("tickets", int(p.Nonces.Count)), slog.String("ticket_ev", num.Ceil(p.ev).String()),
		slog.String("state_id", p.Session.StateID), slog.Uint64("sequence", p.Session.SequenceNumber), slog.Bool("again", p.Again),
	}
}

// Ledger records payments; *store.LiveQueue is one.
type Ledger interface {
	Pay(ctx context.Context, r store.LiveRequest) (*store.LivePayment, error)

	// Find returns what was recorded for the same request before, nil for nothing.
	Find(ctx context.Context, r store.LiveRequest) (*store.LivePayment, error)
}

// Payer makes payments. The order of its calls keeps money safe: the limits and the chain are
// asked, the webhook allows, the store records client, session, nonces, budgets and usage in
// one transaction, and only then anything is signed.
type Payer struct {
	// Key signs. Credentials signs the credentials of payments; nil is Key.
	Key, Credentials signer.Source

	// Plans checks ticket params against the limits and the chain.
	Plans *pay.Payer

	// Ledger records.
	Ledger Ledger

	// Webhook is asked before anything is recorded; nil is none.
	Webhook *Webhook

	// MaxPrices are the highest prices that are paid.
	MaxPrices live.MaxPrices

	// Source names this signer in usage events.
	Source string

	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Pay implements Payments.
func (p *Payer) Pay(ctx context.Context, r *Request) (*Paid, error) {
	request, err := p.request(r)
	if err != nil {
		return nil, err
	}
	if err := p.check(ctx, r, &request); err != nil {
		return p.again(ctx, r, request, err)
	}
	if p.Webhook != nil {
		if paid, err := p.again(ctx, r, request, nil); paid != nil || err != nil {
			return paid, err
		}
		if err := p.ask(ctx, r, &request); err != nil {
			return nil, err
		}
	}
	made, err := p.Ledger.Pay(ctx, request)
	if err != nil {
		return nil, p.refusal(err)
	}
	return p.sign(ctx, r, request, made)
}

func (p *Payer) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// request is what the ledger is asked for.
func (p *Payer) request(r *Request) (store.LiveRequest, error) {
	digest := sha256.Sum256(r.Orchestrator)
	request := store.LiveRequest{
		Request: live.Request{
			Orchestrator: common.BytesToAddress(r.info.Address), App: r.App, Type: r.Type, InPixels: r.InPixels,
			Price: r.price, TicketEV: r.params.EV(), At: p.now(),
		},
		Client: r.Caller.clientID(), Credential: r.Caller.Credential, State: r.session, Encoded: r.State.State, Key: r.Key,
		Info: hex.EncodeToString(digest[:]), Params: r.params,
		ManifestID: r.ManifestID, Capabilities: r.Capabilities,
		Auth: r.Caller.auth(), Cap: p.Plans.Limits.NonceCap, Allow: p.allow(r.params.Recipient),
	}
	if u, err := pay.ParseServiceURI(r.info.Transcoder); err == nil {
		request.URL = u.String()
	}
	request.Usage = p.usage(r)
	request.ManifestID = cmp.Or(request.ManifestID, rand.Text())
	return request, request.CheckTexts()
}

// check holds the offer to the limits and to what the chain says, and finds the ceilings of its price.
func (p *Payer) check(ctx context.Context, r *Request, request *store.LiveRequest) error {
	if err := live.CheckToken(r.info.AuthToken, request.At); err != nil {
		return err
	}
	plan, err := p.Plans.Propose(ctx, r.params, pay.Amount{Count: 1})
	if err != nil {
		return p.refusal(err)
	}
	request.Expiration = plan.Expiration
	if request.Ceilings, err = p.MaxPrices.Ceilings(r.Type, live.Configured); err != nil || r.MaxPrice == nil {
		return err
	}
	ceiling, err := r.MaxPrice.Ceiling(r.Type, live.Requested)
	request.Ceilings = append(request.Ceilings, ceiling)
	return err
}

// allow applies the signer's own limits to what the tickets come to.
func (p *Payer) allow(recipient common.Address) func(*live.Bill, policy.Sum, policy.Spending) error {
	return func(_ *live.Bill, asked policy.Sum, spent policy.Spending) error {
		if err := p.Plans.Limits.CheckTotal(asked); err != nil {
			return err
		}
		return p.Plans.Limits.CheckBudget(recipient, asked, spent)
	}
}

// again returns the payment that was made for the same request before, or why there is none.
func (p *Payer) again(ctx context.Context, r *Request, request store.LiveRequest, why error) (*Paid, error) {
	if request.State == nil && request.Key == "" {
		return nil, why
	}
	found, err := p.Ledger.Find(ctx, request)
	if err != nil && why == nil {
		return nil, p.refusal(err)
	}
	if found == nil {
		return nil, why
	}
	return p.sign(ctx, r, request, found)
}

// ask has the webhook allow the payment, as far as it is known before it is recorded.
func (p *Payer) ask(ctx context.Context, r *Request, request *store.LiveRequest) error {
	before := r.session
	caller := request.Auth.ID
	if before != nil {
		// The webhook may have given the session an ID of its own, which the client need not repeat.
		request.Auth.ID = ""
		user := r.Caller.Subject != "" && caller != before.AuthID // who could be another one than the webhook allowed
		if !user && before.AuthExpiry != 0 && request.At.Unix() <= before.AuthExpiry {
			request.Auth.Expiry = before.AuthExpiry
			return nil
		}
	}
	bill, err := request.Bill(before)
	if err != nil {
		return err
	}
	lastNonce := bill.Tickets
	if before != nil && before.PMSessionID == r.params.RecipientRandHash {
		lastNonce += before.SenderNonce
	}
	request.StateID = store.NewStateID() // which the webhook may note
	next, err := before.Next(request.Request, bill, request.StateID, r.params.RecipientRandHash, lastNonce, request.Auth)
	if err != nil {
		return err
	}
	state, err := next.Encode()
	if err != nil {
		return err
	}
	permission, err := p.Webhook.Ask(ctx, r.Headers, state)
	if err != nil {
		return err
	}
	ceiling, ok, err := permission.Ceiling(r.Type)
	if err != nil {
		return err
	}
	if ok {
		request.Ceilings = append(request.Ceilings, ceiling)
	}
	request.Auth.Expiry = permission.Expiry
	switch {
	case permission.ID != "":
		request.Auth.ID, request.Auth.Alias = permission.ID, permission.ID
	case r.Caller.Subject != "":
		request.Auth.ID = caller
	}
	return nil
}

// sign makes the answer of a recorded payment.
func (p *Payer) sign(ctx context.Context, r *Request, request store.LiveRequest, made *store.LivePayment) (*Paid, error) {
	order := &live.Order{
		Info: r.info, Params: r.params, Expiration: made.Expiration, Nonces: made.Nonces,
		ManifestID: made.ManifestID, Capabilities: made.Capabilities, State: made.Encoded, CredentialsKey: p.Credentials,
	}
	answer, err := order.Sign(ctx, p.Key)
	if err != nil {
		return nil, err
	}
	return &Paid{made, answer, r.params, request.TicketEV}, nil
}

// errReplaced is a credential that was the client's a moment ago.
var errReplaced = live.Refuse(http.StatusUnauthorized, "the credential is no longer the client's")

// refusal sorts the errors of checks and of the ledger: what concerns the request has a status
// of its own, and the others are the signer's.
func (p *Payer) refusal(err error) error {
	var done live.Refusal
	var limit *policy.Refusal
	switch {
	case errors.As(err, &done):
		return err
	case errors.Is(err, store.ErrNoClient):
		return errReplaced
	case live.NeedsRefresh(err), errors.Is(err, store.ErrRetired):
		return live.ErrRefresh
	case errors.As(p.Plans.Limits.Explain(err), &limit):
		return live.Refuse(http.StatusBadRequest, "%w", limit)
	case errors.Is(err, context.Canceled): // by the caller
		return err
	}
	return &UnavailableError{Err: err}
}
