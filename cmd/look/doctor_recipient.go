package look

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// reach are the checks of who answers at a URL.
func (p *patient) reach() []check.Check {
	return []check.Check{
		{ID: "recipient", Run: p.checkRecipient},
		{ID: "protocol", Needs: []string{"recipient"}, Run: p.checkProtocol},
		{ID: "params", Needs: []string{"protocol", "key_opens"}, Run: p.checkParams},
		{ID: "max_float", Needs: []string{"params", "reserve"}, Run: p.bound(p.checkMaxFloat)},
		{ID: "params_form", Needs: []string{"params"}, Run: p.checkForm},
		{ID: "pin", Needs: []string{"params_form", "store"}, Run: p.checkPin},
		{ID: "allowed", Needs: []string{"params_form", "limits"}, Run: p.checkAllowed},
		{ID: "same_chain", Needs: []string{"params_form", "contracts", "head"}, Run: p.bound(p.checkSameChain)},
		{ID: "registry", Needs: []string{"same_chain"}, Run: p.checkRegistry},
		{ID: "active", Needs: []string{"registry"}, Run: p.checkActive}, // which an impostor is not either
	}
}

// checkRecipient asks without a signature, which a recipient refuses: that needs no key,
// and tells who is there.
func (p *patient) checkRecipient(ctx context.Context) check.Finding {
	r := &p.recipient
	_, r.probeErr = r.client.Fetch(ctx, r.url, &wire.OrchestratorRequest{})
	if errors.Is(r.probeErr, pay.ErrUnreachable) {
		return failed(cli.WithHint(r.probeErr, "check the URL, its port, and the connection; pmctl recipient list shows where recipients are"),
			"a recipient that answers", check.Theirs+"-serviceAddr; yours: the URL, --timeout")
	}
	return check.Fine("something answers at %s", r.url)
}

func (p *patient) checkProtocol(context.Context) check.Finding {
	if err := p.recipient.probeErr; errors.Is(err, pay.ErrNotRecipient) {
		return failed(cli.WithHint(err, "check the URL and its port: it is a recipient's service URI that is wanted"),
			"gRPC over HTTP/2, as recipients speak it", check.Theirs+"-serviceAddr; yours: the URL")
	}
	return check.Fine("it speaks the recipients' protocol")
}

// checkParams asks as a payment does, with the key's signature over its own address.
func (p *patient) checkParams(ctx context.Context) check.Finding {
	r := &p.recipient
	key, err := p.account.Unlock(ctx)
	if err != nil {
		return check.Unread(err)
	}
	request, err := wire.NewOrchestratorRequest(signer.ForPM(ctx, key))
	if err != nil {
		return check.Unread(err)
	}
	r.offer, r.fetchErr = r.client.Fetch(ctx, r.url, request)
	switch {
	case r.fetchErr == nil, errors.Is(r.fetchErr, pay.ErrMalformed), errors.Is(r.fetchErr, pay.ErrNoTicketParams):
		return check.Fine("it answers")
	case p.refusesReserve():
		return check.Fine("it answers: %v", pm.ErrInsufficientSenderReserve)
	}
	return failed(r.fetchErr, "ticket params", check.Theirs+"what it refuses is its own affair").Or("ask the recipient, or choose another: pmctl recipient list")
}

// refusesReserve tells whether the recipient makes no tickets for so small a reserve:
// that is max_float's to explain.
func (p *patient) refusesReserve() bool {
	return errors.Is(p.recipient.fetchErr, pm.ErrInsufficientSenderReserve)
}

func (p *patient) checkForm(context.Context) check.Finding {
	if p.refusesReserve() {
		return check.NotMade("needs max_float")
	}
	if err := p.recipient.fetchErr; err != nil {
		return failed(err, "ticket params and a price, as the protocol has them", check.Theirs+"-serviceAddr, its software").Or("choose another recipient: pmctl recipient list")
	}
	return check.Fine("as the protocol has them")
}

// checkPrice can only warn: pmctl has no limit on a price, which is a recipient's own.
func (p *patient) checkPrice(context.Context) check.Finding {
	params := p.recipient.offer.Params
	if price := params.PricePerPixel; price != nil && price.Sign() > 0 || params.EV().Sign() == 0 {
		return check.Fine("%s wei a pixel", ratText(price))
	}
	return check.Finding{State: check.Warning, Found: "no price, and tickets that cost something", Allowed: "a price: tickets are refused that name another than the recipient's",
		Knob: check.Theirs + "-pricePerUnit, -pixelsPerUnit", Fix: "ask the recipient, or choose another: pmctl recipient list"}
}

func ratText(r *big.Rat) string {
	if r == nil {
		return "0"
	}
	return r.RatString()
}

func (p *patient) checkPin(ctx context.Context) check.Finding {
	params := p.recipient.offer.Params
	before, err := p.paidBefore(ctx)
	if err != nil {
		return check.Unread(err)
	}
	if p.store != nil {
		pins, err := p.pins()
		if err == nil {
			err = pins.Check(ctx, p.recipient.url, params.Recipient)
		}
		if err != nil {
			return failed(err, before.Hex()+", who was paid there before", check.Yours+"--recipient").At(params.Recipient.Hex())
		}
	}
	return check.Fine("pays %v", params.Recipient)
}

func (p *patient) checkAllowed(context.Context) check.Finding {
	recipient := p.recipient.offer.Params.Recipient
	if err := p.limits.Explain(p.limits.CheckRecipient(recipient)); err != nil {
		allowed := make([]string, len(p.limits.Recipients))
		for i, address := range p.limits.Recipients {
			allowed[i] = address.Hex()
		}
		return failed(err, strings.Join(allowed, ", "), check.Yours+p.limits.Where(policy.Recipients)).At(recipient.Hex())
	}
	if p.limits.Recipients == nil {
		return check.Fine("anybody may be paid")
	}
	return check.Fine("it is one who may be paid")
}

// checkSameChain compares the block hash of the params' round with that of the node's chain.
// What the next check looks at is read at the same time.
func (p *patient) checkSameChain(ctx context.Context) check.Finding {
	params := p.recipient.offer.Params
	about := pm.CounterpartyOf(params)
	var err error
	var reads sync.WaitGroup
	reads.Go(func() { p.recipient.facts, err = p.node.Facts(ctx, p.address, about) })
	reads.Go(func() { p.recipient.entry, p.recipient.entryErr = p.node.Recipient(ctx, params.Recipient) })
	if reads.Wait(); err != nil {
		return check.Unread(err)
	}
	var other *policy.OtherChainError
	if err := p.limits.CheckCounterparty(params, p.recipient.facts); errors.As(err, &other) {
		return failed(err, "a round with the same block hash on both chains", check.Theirs+"-network, -ethUrl; yours: --network, --rpc-url")
	}
	if about.Round == 0 {
		return check.Fine("its ticket params name no round to compare")
	}
	return check.Fine("round %d is the same", about.Round)
}

func (p *patient) checkActive(context.Context) check.Finding {
	recipient := p.recipient.offer.Params.Recipient
	if err := p.limits.CheckCounterparty(p.recipient.offer.Params, p.recipient.facts); errors.Is(err, policy.ErrInactive) {
		return failed(err, "a recipient in the active pool", check.Theirs+"its stake").At(fmt.Sprintf("%v is not active: it refuses every payment, and keeps the tickets", recipient))
	}
	return check.Fine("yes")
}

func (p *patient) checkRegistry(context.Context) check.Finding {
	const knob = check.Theirs + "-serviceAddr, and its entry in the service registry"
	recipient := p.recipient.offer.Params.Recipient
	entry, err := p.recipient.entry, p.recipient.entryErr
	switch {
	case err != nil:
		return check.Unread(err)
	case !wallet.IsRegisteredAt(entry, p.recipient.url):
		return failed(wallet.Disagreement(p.recipient.url, recipient, entry), p.recipient.url.String(), knob).At(wallet.Entries(entry))
	case !wallet.IsEntry(entry.ServiceURI, p.recipient.url):
		return check.Fine("it has the same URL, for AI work")
	}
	return check.Fine("it has the same URL")
}

// terms are the checks of what a recipient asks for.
func (p *patient) terms() []check.Check {
	offer := []string{"params_form", "limits"}
	return []check.Check{
		{ID: "expiry", Needs: []string{"same_chain"}, Run: p.checkExpiry},
		{ID: "price", Needs: []string{"params_form"}, Run: p.checkPrice},
		{ID: "ev_below_face", Needs: []string{"params_form"}, Run: p.checkEVBelowFaceValue},
		{ID: "ticket_ev", Needs: append(offer, "ev_below_face"), Run: p.checkTicketEV},
		{ID: "total_ev", Needs: append(offer, "ticket_ev"), Run: p.checkTotalEV},
		{ID: "face_value", Needs: offer, Run: p.checkFaceValue},
		{ID: "deposit_cover", Needs: append(offer, "ev_below_face", "deposit"), Run: p.checkCover},
		{ID: "offer_budget", Needs: append(offer, "budget"), Run: p.checkOfferBudget},
		{ID: "auth_token", Needs: []string{"params_form"}, Run: p.checkToken},
	}
}

// bare are the user's limits with all but one switched off, which keep turns on again:
// the checks, and what they say, are the payment's own.
func (p *patient) bare(keep func(l *policy.Limits)) policy.Limits {
	l := p.limits
	l.Limits, l.MaxFaceValue, l.Recipients = pm.Limits{}, nil, nil
	keep(&l)
	return l
}

func (p *patient) checkExpiry(context.Context) check.Finding {
	params, facts := p.recipient.offer.Params, p.facts()
	err := p.bare(func(*policy.Limits) {}).Check(params, facts, 1)
	if errors.Is(err, pm.ErrTicketParamsExpired) || errors.Is(err, pm.ErrNoExpirationBlock) {
		return failed(err,
			fmt.Sprintf("later than L1 block %v, the next one", new(big.Int).Add(facts.LastSeenL1Block, big.NewInt(1))), check.Theirs+"its node, which may be behind").At(fmt.Sprintf("L1 block %v", params.ExpirationBlock))
	}
	return check.Fine("L1 block %v, %v from now", params.ExpirationBlock, new(big.Int).Sub(params.ExpirationBlock, facts.LastSeenL1Block))
}

func (p *patient) checkEVBelowFaceValue(context.Context) check.Finding {
	params := p.recipient.offer.Params
	ev := wei.Format(params.EV())
	if err := p.bare(func(*policy.Limits) {}).CheckParams(params, 1); errors.Is(err, pm.ErrEVNotBelowFaceValue) {
		return failed(err, "below the face value of "+amountText(params.FaceValue), check.Theirs+"-ticketEV, -maxFaceValue").At("EV " + ev)
	}
	return check.Fine("EV %s", ev)
}

func (p *patient) checkTicketEV(context.Context) check.Finding {
	params := p.recipient.offer.Params
	err := p.bare(func(l *policy.Limits) { l.MaxEV = p.limits.MaxEV }).CheckParams(params, 1)
	if errors.As(err, new(*pm.MaxEVError)) {
		return failed(err, "at most "+wei.Format(p.limits.MaxEV), p.knobs(policy.MaxTicketEV, "-ticketEV")).At(wei.Format(params.EV()))
	}
	return check.Fine("%s", wei.Format(params.EV()))
}

func (p *patient) checkTotalEV(context.Context) check.Finding {
	params := p.recipient.offer.Params
	err := p.bare(func(l *policy.Limits) { l.MaxTotalEV = p.limits.MaxTotalEV }).CheckParams(params, 1)
	if errors.As(err, new(*pm.MaxTotalEVError)) {
		return failed(err, "at most "+wei.Format(p.limits.MaxTotalEV), p.knobs(policy.MaxTotalEV, "-ticketEV")).At(wei.Format(params.EV()) + " for one ticket")
	}
	return check.Fine("there is room for a ticket")
}

func (p *patient) checkFaceValue(context.Context) check.Finding {
	params := p.recipient.offer.Params
	err := p.bare(func(l *policy.Limits) { l.MaxFaceValue = p.limits.MaxFaceValue }).CheckParams(params, 1)
	if errors.As(err, new(*policy.MaxFaceValueError)) {
		return failed(err, "at most "+p.limits.MaxFaceValue.String(), p.knobs(policy.MaxFaceValue, "-maxFaceValue")).At(amountText(params.FaceValue))
	}
	return check.Fine("%s", amountText(params.FaceValue))
}

// checkCover looks whether the deposit holds as many face values as it must.
func (p *patient) checkCover(context.Context) check.Finding {
	facts, n := p.facts(), p.limits.DepositMultiplier
	facts.Sender.WithdrawRound = nil // a check of its own
	err := p.bare(func(l *policy.Limits) { l.DepositMultiplier = n }).Check(p.recipient.offer.Params, facts, 1)
	if errors.As(err, new(*pm.FaceValueError)) {
		needed := new(big.Int).Mul(p.recipient.offer.Params.FaceValue, big.NewInt(int64(n)))
		return failed(err, fmt.Sprintf("at least %s: %s", amountText(needed), cli.Plural(fmt.Sprint(n), "face value")),
			p.knobs(policy.DepositMultiplier, "-maxFaceValue")).At("a deposit of " + p.status.Sender.Deposit.String())
	}
	return check.Fine("the deposit holds %s", cli.Plural(fmt.Sprint(n), "face value"))
}

// knobs are the user's limit, and what a recipient sets for it.
func (p *patient) knobs(mine policy.Setting, flag string) string {
	where := p.limits.Where(mine)
	if where != mine.Flag() {
		where = mine.Flag() + " (" + where + ")"
	}
	return check.Yours + where + "; " + check.Theirs + flag
}

func (p *patient) checkOfferBudget(ctx context.Context) check.Finding {
	params := p.recipient.offer.Params
	return p.budgetFor(ctx, params.Recipient, policy.Cost(1, params.EV(), params.FaceValue))
}

func (p *patient) checkToken(context.Context) check.Finding {
	token := p.recipient.offer.Info.GetAuthToken()
	if err := pay.CheckToken(p.recipient.url, token, p.run.Now()); err != nil {
		return failed(cli.WithHint(err, "fetch again; if that does not help, the clock here or the recipient is wrong"), "a token that has not expired", check.Theirs+"its software; yours: the clock")
	}
	return check.Fine("it has not expired")
}
