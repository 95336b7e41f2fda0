package pay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Recipe is what a request's tickets are created from, beside their nonces. Signatures are
// deterministic (RFC 6979), so the same recipe gives the same bytes again.
type Recipe struct {
	// Info is the recipient's answer; URL and FetchedAt are where and when it was fetched. URL may
	// be empty.
	Info      *wire.OrchestratorInfo `json:"-"`
	URL       string                 `json:"url"`
	FetchedAt time.Time              `json:"fetched_at"`

	// Expiration is the round that the tickets belong to.
	Expiration pm.TicketExpirationParams `json:"round"`

	// Segment is the value of the Livepeer-Segment header; "" for none.
	Segment string `json:"segment"`

	// Value is the least total value to pay, if the request has no count.
	Value wei.Wei `json:"value"`

	// Credit is what the recipient had of Value before, in wei, nil for nothing. Tickets that
	// are not accepted until CreditUntil are made up for: the recipient may have forgotten it.
	Credit      *big.Int  `json:"credit,omitempty"`
	CreditUntil time.Time `json:"credit_until,omitzero"`

	// Continued reports whether the answer was kept from an earlier payment.
	Continued bool `json:"continued"`

	// Call is what the call of an app notes of its payment; nil for other payments.
	Call json.RawMessage `json:"call,omitempty"`
}

type keptRecipe struct {
	Info []byte `json:"info"`
	Recipe
}

// Encode returns the recipe as a store.Request's Record.
func (r *Recipe) Encode() ([]byte, error) {
	info, err := proto.Marshal(r.Info)
	if err != nil {
		return nil, err
	}
	return json.Marshal(keptRecipe{info, *r})
}

// ErrForeignRequest is returned for a request whose tickets only another store can create again.
var ErrForeignRequest = hint.With(errors.New("the request was made with the store from which this one was imported"),
	"it is not repeated here; choose another --request-id for a new one")

// Again returns a request's recipe and tickets, which may be signed again: they are the same
// tickets. Since other programs may write to the store, the tickets are checked against the limits
// that need no chain, and against the ledger. Again returns ErrForeignRequest, store.ErrDamaged and
// *policy.Refusal.
func (p *Payer) Again(ctx context.Context, before *store.Record) (*Recipe, *Tickets, error) {
	recipe, tickets, err := p.Recall(before)
	if err == nil {
		err = p.Limits.CheckParams(tickets.Params, uint64(tickets.Count))
	}
	if err == nil {
		err = p.checkLedger(ctx, tickets)
	}
	if err != nil {
		return nil, nil, err
	}
	return recipe, tickets, nil
}

// checkLedger returns store.ErrDamaged for tickets that differ from the ledger, or that no budget
// was charged for.
func (p *Payer) checkLedger(ctx context.Context, t *Tickets) error {
	if _, err := pm.NextNonces(t.Params.RecipientRandHash, t.Nonces.First-1, t.Nonces.Count, p.Limits.NonceCap); err != nil {
		return p.Limits.Explain(err)
	}
	booked, err := p.Nonces.ReservationOf(ctx, p.Sender, t.Params.RecipientRandHash, t.Nonces.First)
	if err != nil && !errors.Is(err, store.ErrNoReservation) {
		return err
	}
	if err != nil || !holds(booked.Nonces, t.Nonces) || booked.Recipient != t.Params.Recipient || booked.FaceValue.Cmp(t.Params.FaceValue) != 0 ||
		booked.TicketEV.Cmp(t.TicketEV) != 0 || booked.ExpirationBlock.Cmp(t.Params.ExpirationBlock) != 0 {
		return fmt.Errorf("%w: request %q: the ledger has other tickets", store.ErrDamaged, t.Before.ID)
	}
	spent, err := p.Nonces.Spending(ctx, p.Sender, booked.At)
	if err != nil {
		return err
	}
	one, cost := spent.Recipients[t.Params.Recipient], t.cost()
	if one.Tickets < cost.Tickets || one.EV.Cmp(cost.EV) < 0 || one.FaceValue.Cmp(cost.FaceValue) < 0 {
		return fmt.Errorf("%w: request %q: the day's spending does not include its tickets", store.ErrDamaged, t.Before.ID)
	}
	return nil
}

// holds reports whether some nonces are among others.
func holds(all, some pm.NonceRange) bool {
	return some.First >= all.First && uint64(some.First)+uint64(some.Count) <= uint64(all.First)+uint64(all.Count)
}

// MadeFor returns the cost of all tickets of a request. It returns the errors of Recall.
func (p *Payer) MadeFor(records store.Records) (policy.Sum, error) {
	all := policy.Cost(0, nil, nil)
	for _, r := range records {
		_, tickets, err := p.Recall(r)
		if err != nil {
			return policy.Sum{}, err
		}
		all = all.Plus(tickets.cost())
	}
	return all, nil
}

// Recall returns a request's recipe and tickets, which must not be signed. It returns the errors of
// Again, except for limits and the ledger; a recipient that no list allows is refused here, too.
func (p *Payer) Recall(before *store.Record) (*Recipe, *Tickets, error) {
	if len(before.Record) == 0 {
		return nil, nil, fmt.Errorf("%w: %q", ErrForeignRequest, before.ID)
	}
	var kept keptRecipe
	r := &kept.Recipe
	r.Info = new(wire.OrchestratorInfo)
	err := json.Unmarshal(before.Record, &kept)
	if err == nil {
		err = proto.Unmarshal(kept.Info, r.Info)
	}
	var params *pm.TicketParams
	if err == nil {
		params, err = r.Info.Params()
	}
	switch {
	case err != nil:
	case params.RecipientRandHash != before.RecipientRandHash:
		err = errors.New("it belongs to another session")
	case before.Nonces.First == 0 || before.Nonces.Count == 0:
		err = errors.New("it has no nonces")
	default:
		err = params.CheckFields()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: what was made for request %q: %w", store.ErrDamaged, before.ID, err)
	}
	if err := p.Limits.Explain(p.Limits.CheckRecipient(params.Recipient)); err != nil {
		return nil, nil, err
	}
	plan := &Plan{Params: params, Expiration: r.Expiration, Count: before.Nonces.Count, TicketEV: params.EV()}
	plan.TotalEV = policy.Cost(uint64(plan.Count), plan.TicketEV, nil).EV
	if !r.Value.IsZero() {
		plan.Overpays = new(big.Rat).Sub(plan.TotalEV, r.Value.Rat())
		if r.Credit != nil {
			plan.Overpays.Add(plan.Overpays, new(big.Rat).SetInt(r.Credit))
		}
	}
	return r, &Tickets{Plan: plan, Sender: p.Sender, Nonces: before.Nonces, Before: before}, nil
}
