package pay

import (
	"context"
	"errors"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/store"
)

// Credits remember what a session's recipient was paid beyond what was asked for: tickets
// are whole, and recipients book the rest as credit. No recipient says how much it has
// booked, so that this is the payer's own account of it.
type Credits interface {
	// Credit returns the credit at a recipient's URL.
	Credit(ctx context.Context, sender common.Address, url string) (store.Credit, error)

	// TakeCredit takes a credit, so that one payment alone uses it; false when it is not what
	// it was seen as.
	TakeCredit(ctx context.Context, sender common.Address, url string, seen store.Credit) (bool, error)

	// AddCredit adds to a session's credit, and drops one that was added to life ago or longer.
	AddCredit(ctx context.Context, sender common.Address, url string, more store.Credit, life time.Duration) error
}

// creditLife is how long a credit counts. Recipients forget theirs after ten idle minutes at
// the earliest.
const creditLife = 5 * time.Minute

// errCreditTaken is returned when another payment has used a credit meanwhile.
var errCreditTaken = errors.New("another payment of the session has used its credit")

// usesCredit tells an amount that a credit counts to: none that counts on one already.
func (a Amount) usesCredit() bool { return a.Count == 0 && a.Made.Tickets == 0 && a.Credit == nil }

// credit is the credit of an offer's session, as far as it counts now.
func (s *Session) credit(ctx context.Context, offer *Offer) (store.Credit, error) {
	if s.Credits == nil {
		return store.Credit{}, nil
	}
	credit, err := s.Credits.Credit(ctx, s.Payer.Sender, s.URL.String())
	if err != nil || credit.Session != offer.Info.GetAuthToken().GetSessionId() || !s.counts(credit) {
		return store.Credit{}, err
	}
	return credit, nil
}

// counts reports whether a recipient is sure to have a credit still. A clock that was set back
// says nothing of how old it is.
func (s *Session) counts(credit store.Credit) bool {
	age := s.Payer.now().Sub(credit.At)
	return credit.Amount != nil && age >= 0 && age < creditLife
}

// takeCredit takes what a plan counts on. It fails with errCreditTaken when that is not
// there any more, or became too old while the key was opened.
func (p *paymentRun) takeCredit(ctx context.Context, plan *Plan) error {
	if plan.credit.Amount == nil {
		return nil
	}
	if !p.counts(plan.credit) {
		return errCreditTaken
	}
	taken, err := p.Credits.TakeCredit(ctx, p.Payer.Sender, p.URL.String(), plan.credit)
	if err == nil && !taken {
		err = errCreditTaken
	}
	if err == nil {
		p.amount.Credit = new(big.Rat).SetInt(plan.credit.Amount)
	}
	return err
}

// returnCredit gives back what was taken for tickets that were not made. Where that fails
// the credit is lost, which costs less than to count on one twice.
func (p *paymentRun) returnCredit(ctx context.Context, plan *Plan) {
	if plan.credit.Amount != nil {
		p.amount.Credit = nil
		_ = p.Credits.AddCredit(context.WithoutCancel(ctx), p.Payer.Sender, p.URL.String(), plan.credit, creditLife)
	}
}

// recallCredit finds what credit the request's tickets counted on, as far as it counts.
func (p *paymentRun) recallCredit() error {
	p.amount.Credit, p.creditLapsed = nil, false
	for _, r := range p.records {
		recipe, _, err := p.Payer.Recall(r)
		if err != nil {
			return err
		}
		switch {
		case recipe.Credit == nil:
		case r.State == store.Accepted || p.Payer.now().Before(recipe.CreditUntil):
			p.amount.Credit = new(big.Rat).SetInt(recipe.Credit)
		case r.State != store.Refused:
			p.creditLapsed = true
		}
	}
	return nil
}

// keepCredit keeps what was paid beyond the value, where this process has delivered all of
// it, under one session: of a payment that was continued it is not known who keeps it. What
// cannot be kept is not used.
func (p *paymentRun) keepCredit(ctx context.Context) {
	if p.Credits == nil || p.amount.Count != 0 || len(p.found) > 0 || p.sent != len(p.parts) {
		return
	}
	session := p.parts[0].offer.Info.GetAuthToken().GetSessionId()
	for _, d := range p.parts {
		if d.offer.Info.GetAuthToken().GetSessionId() != session {
			return
		}
	}
	over := new(big.Rat).Sub(p.amount.paid(p.made), p.amount.Value.Rat())
	whole := new(big.Int).Quo(over.Num(), over.Denom())
	if session == "" || whole.Sign() <= 0 {
		return
	}
	_ = p.Credits.AddCredit(ctx, p.Payer.Sender, p.URL.String(), store.Credit{Session: session, Amount: whole, At: p.Payer.now()}, creditLife)
}
