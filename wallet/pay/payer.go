package pay

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Chain reads what a sender's checks need.
type Chain interface {
	// Facts returns facts about the sender and each counterparty.
	Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error)
}

// Remembering is a Chain whose Facts may be cached. Cached facts are no reason to refuse, since the
// chain may have changed.
type Remembering interface {
	Chain

	// Renew asks the chain. It returns the facts and their age.
	Renew(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, time.Duration, error)
}

// Nonces reserves a session's nonces, durably and each one once, and books the spending.
type Nonces interface {
	// ReserveAll reserves nonces for each Spend and books its cost, together. A refused one does
	// not affect the others.
	ReserveAll(ctx context.Context, spends []store.Spend) ([]store.Outcome, error)

	// Spending returns what a sender has spent on the day of at.
	Spending(ctx context.Context, sender common.Address, at time.Time) (policy.Spending, error)

	// ReservationOf returns the reservation of a sender's ticket, or store.ErrNoReservation.
	ReservationOf(ctx context.Context, sender common.Address, recipientRandHash common.Hash, nonce uint32) (store.Reservation, error)

	// UsedNonces returns how many nonces of a session, counted from 1, are reserved.
	UsedNonces(ctx context.Context, recipientRandHash common.Hash) (uint32, error)
}

// Payer creates tickets of one sender within the user's limits.
type Payer struct {
	// Sender is the account whose deposit and reserve pay.
	Sender common.Address

	// Limits are the user's.
	Limits policy.Limits

	// Chain and Nonces are asked when tickets are planned. Nonces must be set, and Chain unless Offline
	// is.
	Chain  Chain
	Nonces Nonces

	// Now is the clock; nil is time.Now.
	Now func() time.Time

	// Offline plans without the chain: expired params and missing funds are then not noticed, and
	// only params that name a round can be used.
	Offline bool

	// Together is the sum of several payments, to which Session.Pay adds what it made; nil for a
	// payment alone. It counts towards the limit on the total EV.
	Together *policy.Sum
}

// Amount is how much to pay: either a number of tickets or a value in wei.
type Amount struct {
	// Count is a number of tickets.
	Count uint64

	// Value is the least total expected value of the tickets, if Count is 0.
	Value wei.Wei

	// Credit is the part of Value that the recipient already has, in wei; nil for none. It counts
	// towards the amount, but not towards the limits.
	Credit *big.Rat

	// MaxOverpay is how much the tickets' expected values and Credit may exceed Value; nil for no limit.
	// Without credit they exceed it by less than one ticket.
	MaxOverpay *wei.Wei

	// Made is what was already created of the amount, on other params. It counts towards the amount
	// and the limits.
	Made policy.Sum

	// Split allows the amount to take more tickets than one set of params allows; the rest is left
	// for other params.
	Split bool

	// Ahead is the number of tickets left for other params, in addition to Count.
	Ahead uint64
}

// ErrAmount is returned for an amount with both or neither of count and value.
var ErrAmount = errors.New("give either a number of tickets or a value")

// due reports whether more of the amount is due after made.
func (a Amount) due(made policy.Sum) bool {
	if a.Count != 0 {
		return made.Tickets < a.Count
	}
	return made.Tickets == 0 || a.paid(made).Cmp(a.Value.Rat()) < 0
}

// paid is what is paid of the amount with tickets that come to made.
func (a Amount) paid(made policy.Sum) *big.Rat {
	return new(big.Rat).Add(num.OrZero(made.EV), num.OrZero(a.Credit))
}

// tickets returns how many tickets worth ev each are still due.
func (a Amount) tickets(ev *big.Rat) (uint64, error) {
	if a.Count != 0 {
		return a.Count - min(a.Made.Tickets, a.Count), nil
	}
	if ev.Sign() == 0 {
		return 0, ErrWorthless
	}
	count, err := pm.TicketsFor(a.Value.Rat(), a.paid(a.Made), ev)
	if err != nil {
		return 0, fmt.Errorf("%s in tickets of %s: %w", a.Value, wei.Format(ev), err)
	}
	if a.Made.Tickets == 0 {
		// Even where the credit would cover it: only a recipient that takes a ticket is known to
		// have the session, and with it the credit.
		count = max(count, 1)
	}
	return count, nil
}

func (a Amount) check() error {
	if (a.Count == 0) == a.Value.IsZero() {
		return ErrAmount
	}
	return nil
}

// ErrWorthless is returned if a value is to be paid with tickets worth nothing.
var ErrWorthless = errors.New("the recipient's tickets have an expected value of 0, so no value can be paid")

// Plan is a number of tickets that may be created. Nothing is reserved or signed yet.
type Plan struct {
	// Params are the tickets' params, Expiration the round that they belong to.
	Params     *pm.TicketParams
	Expiration pm.TicketExpirationParams

	// Count is the number of tickets, at least 1; Ahead is how many more the amount takes, on other
	// params.
	Count uint32
	Ahead uint64

	// TicketEV and TotalEV are the expected values of one and of all tickets, in wei.
	TicketEV, TotalEV *big.Rat

	// Overpays is how much TotalEV exceeds the requested value, in wei; nil if a count was
	// requested. Recipients book it as credit.
	Overpays *big.Rat

	// Request is the request that the tickets are for; nil for none.
	Request *store.Request

	// credit is what the plan counts on. It is taken before tickets are created.
	credit store.Credit

	// all is the cost of the whole amount, with what was created before and what is left for other
	// params.
	all policy.Sum

	checkedAt time.Time
}

func (p *Plan) cost() policy.Sum { return policy.Cost(uint64(p.Count), p.TicketEV, p.Params.FaceValue) }

// maxFactsAge is how long facts are valid between a check and the reservation of nonces: half the
// time between two L1 blocks.
const maxFactsAge = 6 * time.Second

// Plan checks whether the amount may be paid on params: against the chain, the limits, and the
// nonces left. It returns *policy.Refusal, policy.ErrLimit for an overpayment, ErrAmount, ErrWorthless, and the errors of
// Chain and Nonces.
func (p *Payer) Plan(ctx context.Context, params *pm.TicketParams, amount Amount) (*Plan, error) {
	if p.Nonces == nil {
		return nil, errNoNonces
	}
	plan, err := p.Propose(ctx, params, amount)
	if err != nil {
		return nil, err
	}
	used, err := p.Nonces.UsedNonces(ctx, params.RecipientRandHash)
	if err != nil {
		return nil, err
	}
	if _, err := pm.NextNonces(params.RecipientRandHash, used, plan.Count, p.Limits.NonceCap); err != nil {
		return nil, p.Limits.Explain(err)
	}
	spent, err := p.Nonces.Spending(ctx, p.Sender, p.now())
	if err != nil {
		return nil, err
	}
	cost := policy.Cost(uint64(plan.Count)+plan.Ahead, plan.TicketEV, params.FaceValue)
	if err := p.Limits.CheckBudget(params.Recipient, cost, spent); err != nil {
		return nil, err
	}
	return plan, nil
}

// Propose is Plan without asking Nonces for the nonces left and the spending, both of which Reserve
// checks anyway.
func (p *Payer) Propose(ctx context.Context, params *pm.TicketParams, amount Amount) (*Plan, error) {
	if err := amount.check(); err != nil {
		return nil, err
	}
	if err := params.CheckFields(); err != nil {
		return nil, p.Limits.CheckParams(params, 1) // which returns a refusal
	}
	ev := params.EV()
	count, err := amount.tickets(ev)
	if err != nil {
		return nil, err
	}
	ahead := amount.Ahead
	if most := uint64(p.Limits.NonceCap); amount.Split && most > 0 && count > most && count <= maxSets*most {
		count, ahead = most, count-most
	}
	plan := &Plan{Params: params, TicketEV: ev, TotalEV: policy.Cost(count, ev, nil).EV, Ahead: ahead}
	plan.all = amount.Made.Plus(policy.Cost(count+ahead, ev, params.FaceValue))
	if amount.Count == 0 {
		plan.Overpays = new(big.Rat).Sub(amount.paid(plan.all), amount.Value.Rat())
	}
	if err := amount.checkOverpay(plan, count+ahead); err != nil {
		return nil, err
	}
	if err := p.check(ctx, plan, count); err != nil {
		return nil, err
	}
	plan.Count = uint32(count) // the limits have checked that it fits
	return plan, nil
}

// maxSets limits the sets of params for one amount: a recipient whose tickets are worth next to
// nothing could ask for any number.
const maxSets = 100

// checkTotal checks what a payment comes to, with those before it, against the limit on the total EV.
func (p *Payer) checkTotal(all policy.Sum) error {
	if p.Together == nil || p.Together.Tickets == 0 {
		return p.Limits.CheckTotal(all)
	}
	if err := p.Limits.CheckTotal(all.Plus(*p.Together)); err != nil {
		return fmt.Errorf("with the payments before it: %w", err)
	}
	return nil
}

// check checks the plan against the limits, those for the whole amount among them, and against the
// chain. Offline it fails for limits that need the chain.
func (p *Payer) check(ctx context.Context, plan *Plan, count uint64) error {
	if p.Offline {
		if err := p.Limits.CheckOffline(); err != nil {
			return err
		}
	}
	// First the limits that no facts can change.
	if err := p.Limits.CheckParams(plan.Params, count); err != nil {
		return err
	}
	if err := p.checkTotal(plan.all); err != nil {
		return err
	}
	if p.Offline {
		own := plan.Params.ExpirationParams
		if own == nil || own.CreationRound == 0 || own.CreationRoundBlockHash == [32]byte{} {
			return ErrNoRound
		}
		plan.Expiration = *own
	} else {
		facts, err := p.judge(ctx, func(facts pm.Facts) error { return p.Limits.Check(plan.Params, facts, count) }, pm.CounterpartyOf(plan.Params))
		if err != nil {
			return err
		}
		plan.Expiration = facts.Expiration(plan.Params)
	}
	plan.checkedAt = p.now()
	return nil
}

// Errors of a Payer without what it asks.
var (
	errNoChain  = errors.New("the payer has no Chain to ask")
	errNoNonces = errors.New("the payer has no Nonces to reserve")
)

// judge applies a check to the chain's facts. Before cached facts refuse, the chain is asked.
func (p *Payer) judge(ctx context.Context, check func(pm.Facts) error, about ...pm.Counterparty) (pm.Facts, error) {
	if p.Chain == nil {
		return pm.Facts{}, errNoChain
	}
	facts, err := p.Chain.Facts(ctx, p.Sender, about...)
	if err != nil {
		return facts, err
	}
	err = check(facts)
	remembering, ok := p.Chain.(Remembering)
	if err == nil || !ok {
		return facts, err
	}
	facts, age, err := remembering.Renew(ctx, p.Sender, about...)
	if err != nil {
		return facts, err
	}
	if err := check(facts); err != nil {
		return facts, fmt.Errorf("%w (the chain was asked %s ago)", err, duration.Text(age.Round(time.Millisecond)))
	}
	return facts, nil
}

// ErrNoRound is returned offline for params that name no round.
var ErrNoRound = hint.With(errors.New("the ticket params name no round, which must then be read from the chain"),
	"omit --offline")

// CheckSender refuses a sender whose tickets no recipient would accept. It needs no params, and so
// saves a request that would fail.
func (p *Payer) CheckSender(ctx context.Context) error {
	_, err := p.judge(ctx, policy.CheckSender)
	return err
}

// Tickets are a plan's tickets with reserved nonces. They may be signed once.
type Tickets struct {
	*Plan

	Sender common.Address

	Nonces pm.NonceRange

	// Before is the earlier record of the plan's request, if there is one. Its tickets are used,
	// and the plan is not.
	Before *store.Record
}

// Reserve reserves the nonces of a plan. A plan that waited, for example for a passphrase, is
// checked again first, since expired tickets can win without being credited. The budget is checked
// here, across all processes. Reserve returns the errors of Plan and store.ErrRequest.
func (p *Payer) Reserve(ctx context.Context, plan *Plan) (*Tickets, error) {
	outcomes, err := p.ReserveAll(ctx, []*Plan{plan})
	if err != nil {
		return nil, err
	}
	return outcomes[0].Tickets, outcomes[0].Err
}

// Outcome is the result of one of several plans: its tickets or an error.
type Outcome struct {
	Tickets *Tickets
	Err     error
}

// ReserveAll does what Reserve does for each plan, in order and with one write. A refused plan does
// not affect the others; if the store fails or ctx ends, no nonce was reserved at all.
func (p *Payer) ReserveAll(ctx context.Context, plans []*Plan) ([]Outcome, error) {
	if p.Nonces == nil {
		return nil, errNoNonces
	}
	outcomes := make([]Outcome, len(plans))
	var spends []store.Spend
	var places []int // indices of the spends' plans
	for i, plan := range plans {
		// If the clock was set back, the age is unknown.
		if age := p.now().Sub(plan.checkedAt); age < 0 || age > maxFactsAge {
			if err := p.check(ctx, plan, uint64(plan.Count)); err != nil {
				outcomes[i].Err = err
				continue
			}
		}
		places = append(places, i)
		spends = append(spends, store.Spend{
			Sender: p.Sender, Params: plan.Params, Count: plan.Count, Ahead: plan.Ahead, Cap: p.Limits.NonceCap,
			Allow: p.Limits.CheckBudget, At: p.now(), Request: plan.Request,
		})
	}
	if len(spends) == 0 {
		return outcomes, nil
	}
	reserved, err := p.Nonces.ReserveAll(ctx, spends)
	if err != nil {
		return nil, p.Limits.Explain(err)
	}
	for j, i := range places {
		if err := reserved[j].Err; err != nil {
			outcomes[i].Err = p.Limits.Explain(err)
			continue
		}
		made := reserved[j].Made
		outcomes[i].Tickets = &Tickets{Plan: plans[i], Sender: p.Sender, Nonces: made.Nonces, Before: made.Before}
	}
	return outcomes, nil
}

// now returns the wall clock only: the monotonic clock stops while a machine sleeps, but params
// still expire.
func (p *Payer) now() time.Time {
	if p.Now == nil {
		return time.Now().Round(0)
	}
	return p.Now().Round(0)
}

// TicketSigner is a signer that gets whole orders of tickets, such as an agent. It signs no single
// messages.
type TicketSigner interface {
	signer.Source

	// SignTickets does what Tickets.Sign does.
	SignTickets(ctx context.Context, t *Tickets, emit func(pm.TicketSenderParams) error) error

	// SegmentHeader does what the function SegmentHeader does.
	SegmentHeader(ctx context.Context, token *wire.AuthToken) (string, error)
}

// Sign signs the tickets with the sender's key and passes them to emit in nonce order, as pm.Mint
// does.
func (t *Tickets) Sign(ctx context.Context, key signer.Source, emit func(pm.TicketSenderParams) error) error {
	if got := key.Address(); got != t.Sender {
		return fmt.Errorf("the tickets' sender is %v, but the key is that of %v", t.Sender, got)
	}
	if told, ok := key.(TicketSigner); ok {
		return told.SignTickets(ctx, t, emit)
	}
	return pm.Mint(ctx, signer.ForPM(ctx, key), t.Params, &t.Expiration, t.Nonces, emit)
}

// Batch signs the tickets and returns them together.
func (t *Tickets) Batch(ctx context.Context, key signer.Source) (*pm.TicketBatch, error) {
	batch := t.batch()
	err := t.Sign(ctx, key, func(sp pm.TicketSenderParams) error {
		sp.Sig = append([]byte(nil), sp.Sig...)
		batch.SenderParams = append(batch.SenderParams, &sp)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return batch, nil
}

func (t *Tickets) batch() *pm.TicketBatch {
	return &pm.TicketBatch{
		TicketParams:           t.Params,
		TicketExpirationParams: &t.Expiration,
		Sender:                 t.Sender,
		SenderParams:           make([]*pm.TicketSenderParams, 0, t.Nonces.Count),
	}
}
