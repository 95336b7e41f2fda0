package check

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/wei"
)

// terms are what a recipient asks for.
type terms struct{ *recipient }

func (t terms) checks() []Check {
	offer := []string{"params_form", "limits"}
	return []Check{
		{"expiry", []string{"same_chain"}, t.expiry},
		{"price", []string{"params_form"}, t.price},
		{"ev_below_face", []string{"params_form"}, t.evBelowFaceValue},
		{"ticket_ev", append(offer, "ev_below_face"), t.ticketEV},
		{"ticket_pace", []string{"ticket_ev"}, t.pace},
		{"total_ev", append(offer, "ticket_ev"), t.totalEV},
		{"face_value", offer, t.faceValue},
		{"deposit_cover", append(offer, "ev_below_face", "deposit"), t.cover},
		{"offer_budget", append(offer, "budget"), t.budgeted},
		{"auth_token", []string{"params_form"}, t.token},
	}
}

// bare returns limits without bounds on valid params: checks and texts are those of a payment.
func (t terms) bare(only pm.Limits) policy.Limits {
	l := t.Limits
	l.Limits, l.MaxFaceValue, l.Recipients = only, nil, nil
	return l
}

func (t terms) expiry(context.Context) Finding {
	block, facts := t.offer.Params.ExpirationBlock, t.facts()
	err := t.bare(pm.Limits{}).Check(t.offer.Params, facts, 1)
	if errors.Is(err, pm.ErrTicketParamsExpired) || errors.Is(err, pm.ErrNoExpirationBlock) {
		next := new(big.Int).Add(facts.LastSeenL1Block, big.NewInt(1))
		return Fail(err, fmt.Sprintf("later than L1 block %v, the next one", next), OwnerRecipient+"its node, which may be behind").At(fmt.Sprintf("L1 block %v", block))
	}
	return Fine("L1 block %v, %v from now", block, new(big.Int).Sub(block, facts.LastSeenL1Block))
}

// price can only warn, since pmctl limits no price.
func (t terms) price(context.Context) Finding {
	price := num.OrZero(t.offer.Params.PricePerPixel)
	if price.Sign() > 0 || t.offer.Params.EV().Sign() == 0 {
		return Fine("%s per pixel", wei.Format(price))
	}
	return Warn("no price, but tickets with an expected value", "a price, which tickets must repeat to be accepted",
		OwnerRecipient+"-pricePerUnit, -pixelsPerUnit", "ask the recipient, or choose another: pmctl recipient list")
}

func (t terms) evBelowFaceValue(context.Context) Finding {
	params := t.offer.Params
	ev := "EV " + wei.Format(params.EV())
	if err := t.bare(pm.Limits{}).CheckParams(params, 1); errors.Is(err, pm.ErrEVNotBelowFaceValue) {
		return Fail(err, "below the face value of "+amount(params.FaceValue), OwnerRecipient+"-ticketEV, -maxFaceValue").At(ev)
	}
	return Fine("%s", ev)
}

func (t terms) ticketEV(context.Context) Finding {
	ev := t.offer.Params.EV()
	err := t.bare(pm.Limits{MaxEV: t.Limits.MaxEV}).CheckParams(t.offer.Params, 1)
	if errors.As(err, new(*pm.MaxEVError)) {
		return Fail(err, policy.AtMost(ev, t.Limits.MaxEV), t.knobs(policy.MaxTicketEV, "-ticketEV")).At(wei.Format(ev))
	}
	return Fine("%s", wei.Format(ev))
}

func (t terms) totalEV(context.Context) Finding {
	ev := t.offer.Params.EV()
	err := t.bare(pm.Limits{MaxTotalEV: t.Limits.MaxTotalEV}).CheckParams(t.offer.Params, 1)
	if errors.As(err, new(*pm.MaxTotalEVError)) {
		return Fail(err, policy.AtMost(ev, t.Limits.MaxTotalEV), t.knobs(policy.MaxTotalEV, "-ticketEV")).At(wei.Format(ev) + " for one ticket")
	}
	return Fine("there is room for a ticket")
}

func (t terms) faceValue(context.Context) Finding {
	value := amount(t.offer.Params.FaceValue)
	limits := t.bare(pm.Limits{})
	limits.MaxFaceValue = t.Limits.MaxFaceValue
	if err := limits.CheckParams(t.offer.Params, 1); errors.Is(err, policy.ErrMaxFaceValue) {
		return Fail(err, "at most "+t.Limits.MaxFaceValue.String(), t.knobs(policy.MaxFaceValue, "-maxFaceValue")).At(value)
	}
	return Fine("%s", value)
}

// cover checks whether the deposit covers as many face values as it must.
func (t terms) cover(context.Context) Finding {
	params, facts, n := t.offer.Params, t.facts(), t.Limits.DepositMultiplier
	facts.Sender.WithdrawRound = nil // a check of its own
	err := t.bare(pm.Limits{DepositMultiplier: n}).Check(params, facts, 1)
	if errors.As(err, new(*pm.FaceValueError)) {
		needed := new(big.Int).Mul(params.FaceValue, big.NewInt(int64(n)))
		return Fail(err, fmt.Sprintf("at least %s: %s", amount(needed), words.Count(n, "face value")), t.knobs(policy.DepositMultiplier, "-maxFaceValue")).
			At("a deposit of " + t.status.Sender.Deposit.String())
	}
	return Fine("the deposit covers %s", words.Count(n, "face value"))
}

// knobs names the user's limit and the recipient's flag for a value.
func (t terms) knobs(mine policy.Setting, flag string) string {
	where := t.Limits.Where(mine)
	if where != mine.Flag() {
		where = mine.Flag() + " (" + where + ")"
	}
	return OwnerUser + where + "; " + OwnerRecipient + flag
}

func (t terms) budgeted(ctx context.Context) Finding {
	params := t.offer.Params
	return t.budget(ctx, params.Recipient, policy.Cost(1, params.EV(), params.FaceValue))
}

func (t terms) token(context.Context) Finding {
	if err := pay.CheckToken(t.URL, t.offer.Info.GetAuthToken(), t.Now()); err != nil {
		return Fail(hint.With(err, "run pmctl doctor again; if the token has expired again, this machine's clock or the recipient's is wrong"), "a token that has not expired", OwnerRecipient+"its software; yours: the clock")
	}
	return Fine("not expired")
}
