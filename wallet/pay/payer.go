package pay

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Chain tells a sender's checks what they need to know.
type Chain interface {
	// Facts returns what checks of a sender need, and of each counterparty.
	Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error)
}

// Remembering is a Chain whose Facts may be some time old. What it remembers is no reason
// to refuse anything: the chain may have changed.
type Remembering interface {
	Chain

	// Renew asks the chain, and returns what it says and how long ago it was asked.
	Renew(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, time.Duration, error)
}

// Nonces hands out a session's nonces, durably and each one once, and keeps book of
// what was spent.
type Nonces interface {
	// ReserveAll takes nonces for each Spend and books what the tickets cost, at once.
	// One that is refused leaves the others alone.
	ReserveAll(ctx context.Context, spends []store.Spend) ([]store.Outcome, error)

	// Spending returns what a sender has spent on the day of at.
	Spending(ctx context.Context, sender common.Address, at time.Time) (policy.Spending, error)

	// ReservationOf returns what a sender's ticket was made with, or store.ErrNoReservation.
	ReservationOf(ctx context.Context, sender common.Address, recipientRandHash common.Hash, nonce uint32) (store.Reservation, error)

	// UsedNonces returns how many nonces of a session, counted from 1, are taken.
	UsedNonces(ctx context.Context, recipientRandHash common.Hash) (uint32, error)
}

// Payer makes tickets for one sender within the user's limits.
type Payer struct {
	// Sender is whose deposit and reserve pay.
	Sender common.Address

	// Limits are the user's.
	Limits policy.Limits

	// Chain and Nonces are what the tickets are checked against and numbered by.
	Chain  Chain
	Nonces Nonces

	// Now is the clock; nil is time.Now.
	Now func() time.Time

	// Offline has plans not held against the chain: whether params have expired and the
	// sender can pay is then not known, and only params that name a round can be used.
	Offline bool
}

// Amount is how much to pay: a number of tickets, or a value in wei, not both.
type Amount struct {
	// Count is a number of tickets.
	Count uint64

	// Value is what the tickets' expected values must add up to at least, when Count
	// is 0.
	Value wei.Wei

	// MaxOverpay is by how much the tickets' expected values may exceed Value; nil for any,
	// which is less than one ticket's.
	MaxOverpay *wei.Wei

	// Made is what was made of the amount before, with other params: it counts to the
	// amount, and to the limits.
	Made policy.Sum

	// Split lets the amount take more tickets than one set of params does: those beyond
	// are left to other params.
	Split bool

	// Ahead is how many tickets are left to other params beside Count.
	Ahead uint64
}

// ErrAmount is returned for an amount that is both a count and a value, or neither.
var ErrAmount = errors.New("say either how many tickets or what value")

// due tells whether tickets that come to made leave something of the amount to pay.
func (a Amount) due(made policy.Sum) bool {
	if a.Count != 0 {
		return made.Tickets < a.Count
	}
	return made.Tickets == 0 || made.EV.Cmp(a.Value.Rat()) < 0
}

// tickets is how many tickets that are worth ev the amount takes, beside what was made.
func (a Amount) tickets(ev *big.Rat) (uint64, error) {
	if a.Count != 0 {
		return a.Count - min(a.Made.Tickets, a.Count), nil
	}
	if ev.Sign() == 0 {
		return 0, ErrWorthless
	}
	return pm.TicketsFor(a.Value.Rat(), a.Made.EV, ev)
}

func (a Amount) check() error {
	if (a.Count == 0) == a.Value.IsZero() {
		return ErrAmount
	}
	return nil
}

// ErrWorthless is returned when a value is to be paid with tickets that are worth
// nothing.
var ErrWorthless = errors.New("the recipient's tickets have no expected value: there is nothing to pay")

// Plan is tickets that may be made. Nothing has been reserved or signed for it.
type Plan struct {
	// Params are what the tickets are made from, Expiration the round they belong to.
	Params     *pm.TicketParams
	Expiration pm.TicketExpirationParams

	// Count is how many there are, at least 1; Ahead how many more the amount takes, of
	// other params.
	Count uint32
	Ahead uint64

	// TicketEV and TotalEV are what one and what all of them are worth, in wei.
	TicketEV, TotalEV *big.Rat

	// Overpays is by how much TotalEV exceeds the value asked for, in wei; nil when a
	// count was asked for. A recipient books it as credit.
	Overpays *big.Rat

	// Request is what the tickets are made for, when it has a name; nil otherwise.
	Request *store.Request

	// all is what the whole amount comes to, with what was made before and what is left
	// to other params.
	all policy.Sum

	checkedAt time.Time
}

// cost is what the plan's tickets come to.
func (p *Plan) cost() policy.Sum { return policy.Cost(uint64(p.Count), p.TicketEV, p.Params.FaceValue) }

// maxFactsAge is how long what the chain said is believed between a check and the
// reservation of nonces: half the time between two L1 blocks.
const maxFactsAge = 6 * time.Second

// Plan finds out whether the amount may be paid with tickets made from params: it asks
// the chain, the limits, and how many nonces are left.
//
// It fails with *policy.Refusal, *OverpayError, ErrAmount, ErrWorthless, and as Chain and Nonces do.
func (p *Payer) Plan(ctx context.Context, params *pm.TicketParams, amount Amount) (*Plan, error) {
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

// Propose is Plan without what Nonces knows: how many nonces are left and what was spent,
// both of which Reserve holds the plan to in any case.
func (p *Payer) Propose(ctx context.Context, params *pm.TicketParams, amount Amount) (*Plan, error) {
	if err := amount.check(); err != nil {
		return nil, err
	}
	if err := params.CheckFields(); err != nil {
		return nil, p.Limits.CheckParams(params, 1) // which says so as a refusal
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
		plan.Overpays = new(big.Rat).Sub(plan.all.EV, amount.Value.Rat())
	}
	if err := amount.checkOverpay(plan, count+ahead); err != nil {
		return nil, err
	}
	if err := p.check(ctx, plan, count); err != nil {
		return nil, err
	}
	plan.Count = uint32(count) // the limits' own check is that it fits
	return plan, nil
}

// maxSets is how many sets of params one amount takes at most. A recipient whose tickets
// are worth next to nothing could ask for any number.
const maxSets = 100

// checkWhole holds what needs no chain to the limits.
func (p *Payer) checkWhole(plan *Plan, count uint64) error {
	if err := p.Limits.CheckParams(plan.Params, count); err != nil {
		return err
	}
	return p.Limits.CheckTotal(plan.all)
}

// check asks the chain and holds the plan to the limits.
func (p *Payer) check(ctx context.Context, plan *Plan, count uint64) error {
	if p.Offline {
		return p.checkOffline(plan, count)
	}
	// What needs no chain comes first: no look at the chain makes it good.
	if err := p.checkWhole(plan, count); err != nil {
		return err
	}
	facts, err := p.judge(ctx, func(facts pm.Facts) error { return p.Limits.Check(plan.Params, facts, count) }, pm.CounterpartyOf(plan.Params))
	if err != nil {
		return err
	}
	plan.Expiration, plan.checkedAt = facts.Expiration(plan.Params), p.now()
	return nil
}

// judge holds what the chain says to check. What is remembered can only allow: before it
// refuses, the chain is asked.
func (p *Payer) judge(ctx context.Context, check func(pm.Facts) error, about ...pm.Counterparty) (pm.Facts, error) {
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
		return facts, &RefusedAsOfError{Err: err, Age: age}
	}
	return facts, nil
}

// RefusedAsOfError is a refusal on what the chain said some time ago.
type RefusedAsOfError struct {
	// Err is the refusal.
	Err error

	// Age is how long ago the chain was asked.
	Age time.Duration
}

func (e *RefusedAsOfError) Error() string {
	return fmt.Sprintf("%v (the chain was asked %v ago)", e.Err, e.Age.Round(time.Millisecond))
}

// Unwrap returns the refusal.
func (e *RefusedAsOfError) Unwrap() error { return e.Err }

// checkOffline holds the plan to the limits that need no chain.
func (p *Payer) checkOffline(plan *Plan, count uint64) error {
	if err := p.Limits.CheckOffline(); err != nil {
		return err
	}
	if err := p.checkWhole(plan, count); err != nil {
		return err
	}
	own := plan.Params.ExpirationParams
	if own == nil || own.CreationRound == 0 || own.CreationRoundBlockHash == [32]byte{} {
		return ErrNoRound
	}
	plan.Expiration, plan.checkedAt = *own, p.now()
	return nil
}

// ErrNoRound is returned for params that name no round when the chain is not asked.
var ErrNoRound = hint.With(errors.New("the ticket params name no round, and without the chain nobody else does"),
	"leave --offline out, so that the chain is asked")

// CheckSender refuses a sender whom no recipient would take tickets from. It needs no
// params, and so spares a request that must fail.
func (p *Payer) CheckSender(ctx context.Context) error {
	_, err := p.judge(ctx, policy.CheckSender)
	return err
}

// Tickets are a plan's tickets with their nonces, which are on disk as taken. They may
// be signed once.
type Tickets struct {
	*Plan

	// Sender is whose they are.
	Sender common.Address

	// Nonces are theirs.
	Nonces pm.NonceRange

	// Before is what was made for the plan's request before, when something was: its
	// tickets stand for the request, and the plan does not.
	Before *store.Record
}

// Reserve takes the nonces for a plan. A plan that waited for somebody to type a
// passphrase is checked again first, since expired tickets can win and cost money
// without being credited. The user's budget holds here, over all processes. It fails as
// Plan does, and with *store.RequestError.
func (p *Payer) Reserve(ctx context.Context, plan *Plan) (*Tickets, error) {
	outcomes, err := p.ReserveAll(ctx, []*Plan{plan})
	if err != nil {
		return nil, err
	}
	return outcomes[0].Tickets, outcomes[0].Err
}

// Outcome is what came of one of several plans: its tickets, or why there are none.
type Outcome struct {
	Tickets *Tickets
	Err     error
}

// ReserveAll does what Reserve does for each plan, in order and with one write. A plan
// that is refused leaves the others alone; where the store fails, or ctx ends, no nonce
// was taken for any.
func (p *Payer) ReserveAll(ctx context.Context, plans []*Plan) ([]Outcome, error) {
	outcomes := make([]Outcome, len(plans))
	var spends []store.Spend
	var places []int // of the spends among the plans
	for i, plan := range plans {
		// A clock that was set back says nothing about how long it took.
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

// now is the time by the wall clock alone: the monotonic one stands still while a
// machine sleeps, and params expire all the same.
func (p *Payer) now() time.Time {
	if p.Now == nil {
		return time.Now().Round(0)
	}
	return p.Now().Round(0)
}

// TicketSigner is a signer that is told what it signs, such as an agent: it signs no
// messages as they come.
type TicketSigner interface {
	signer.Source

	// SignTickets does what Tickets.Sign does.
	SignTickets(ctx context.Context, t *Tickets, emit func(pm.TicketSenderParams) error) error

	// SegmentHeader does what the function of that name does.
	SegmentHeader(ctx context.Context, token *wire.AuthToken) (string, error)
}

// Sign signs the tickets and hands them to emit in nonce order, as pm.Mint does. The key
// must be the sender's.
func (t *Tickets) Sign(ctx context.Context, key signer.Source, emit func(pm.TicketSenderParams) error) error {
	if got := key.Address(); got != t.Sender {
		return fmt.Errorf("the tickets are %v's and the signer is %v", t.Sender, got)
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

// batch is what the tickets share, without any of them.
func (t *Tickets) batch() *pm.TicketBatch {
	return &pm.TicketBatch{
		TicketParams:           t.Params,
		TicketExpirationParams: &t.Expiration,
		Sender:                 t.Sender,
		SenderParams:           make([]*pm.TicketSenderParams, 0, t.Nonces.Count),
	}
}

// last is the highest nonce.
func (t *Tickets) last() uint32 { return t.Nonces.First + t.Nonces.Count - 1 }
