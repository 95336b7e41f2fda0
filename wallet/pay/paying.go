package pay

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// paymentRun is a payment in progress.
//
// It creates tickets in sets: tickets on one set of params, whose nonces are reserved together. A
// set is delivered in parts, each as large as the recipient's header limit allows. If the payment
// has a request, each set and part is in the store before it is signed, so that any process can
// continue it: first it delivers what was created, in order, then it creates what is still due.
type paymentRun struct {
	*Session
	amount Amount
	key    signer.Source // nil until opened

	// request is the request that the payment is for; nil for a payment in one delivery that is not
	// recorded. records are its records, and found those that existed when this process began.
	request *store.Request
	records store.Records
	found   []store.Record

	// unsure are parts delivered before that the recipient now says it has, or that cannot be
	// delivered any more, so that it is unknown whether they were credited. What is due beside them
	// is paid.
	unsure map[partID]error

	// made is the cost of the records. parts are the accepted deliveries, in order, and sent counts
	// those of this process.
	made  policy.Sum
	parts []*delivery
	sent  int

	// fresh is the set on params that this process fetched; 0 for none. checked is the set whose
	// params were last checked on the chain, at checkedAt.
	fresh, checked int
	checkedAt      time.Time

	// creditLapsed reports whether tickets counted on a credit and are not known to be accepted while
	// that was sure.
	creditLapsed bool

	// nextErr is why no params are kept for the next payment, noteErr why an acceptance could not
	// be recorded.
	nextErr, noteErr error
}

// partID identifies a part of a request.
type partID struct {
	set   int
	first uint32
}

// run pays what is due.
func (p *paymentRun) run(ctx context.Context) error {
	if err := p.read(ctx); err != nil {
		return err
	}
	for _, r := range p.records {
		p.found = append(p.found, *r)
	}
	for {
		// It is made up for before the tickets are delivered that counted on it: once they are
		// accepted, nothing says that it was too old.
		if p.creditLapsed && p.amount.due(p.made) {
			if err := p.make(ctx); err != nil {
				return p.partial(err)
			}
		}
		settled, err := p.deliverAll(ctx)
		if err == nil && settled {
			if !p.amount.due(p.made) {
				return p.partial(p.doubt())
			}
			err = p.make(ctx)
		}
		if doubt := p.doubt(); err != nil && doubt != nil {
			err = fmt.Errorf("%w; paying the rest failed: %w", doubt, err)
		}
		if err != nil {
			return p.partial(err)
		}
	}
}

// read reads the request's records.
func (p *paymentRun) read(ctx context.Context) (err error) {
	if p.request == nil {
		return nil
	}
	if p.records, err = p.Requests.Requested(ctx, p.Payer.Sender, *p.request); err != nil {
		return err
	}
	if len(p.records) == 0 {
		p.found = nil // it was released, and starts anew
	}
	if p.made, err = p.Payer.MadeFor(p.records); err != nil {
		return err
	}
	return p.recallCredit()
}

// deliverAll delivers what was created and is not accepted. settled is false if the records have
// changed and must be read again.
func (p *paymentRun) deliverAll(ctx context.Context) (settled bool, err error) {
	if p.request == nil {
		return true, nil
	}
	p.parts = nil
	for _, r := range p.records {
		d, err := p.recall(r)
		if err != nil {
			return false, err
		}
		id := partID{r.Set, r.Nonces.First}
		switch {
		case r.State == store.Accepted:
		case r.State == store.Refused:
			return false, &RefusedBeforeError{r.ID, r.Outcome, r.At}
		case p.unsure[id] != nil:
			continue
		default:
			accepted, err := p.deliverPart(ctx, d)
			if isDoubt(err) {
				p.unsure[id] = err
				continue
			}
			if err != nil {
				return false, err
			}
			if !accepted {
				return false, p.read(ctx)
			}
		}
		p.parts = append(p.parts, d)
	}
	return true, nil
}

// isDoubt reports whether it stays unknown if tickets delivered before were credited: the recipient
// refuses them as already seen, or they have expired.
func isDoubt(err error) bool {
	var unknown *UnknownOutcomeError
	return errors.As(err, &unknown) && unknown.Again && (unknown.Over || errors.Is(unknown.Err, pm.ErrNonceReplayed))
}

// doubt returns the error of the first unsure part; nil for none.
func (p *paymentRun) doubt() error {
	for _, r := range p.records {
		if err := p.unsure[partID{r.Set, r.Nonces.First}]; err != nil {
			return err
		}
	}
	return nil
}

// recall returns a recorded part, ready to be delivered.
func (p *paymentRun) recall(r *store.Record) (*delivery, error) {
	recipe, tickets, err := p.Payer.Recall(r)
	if err != nil {
		return nil, err
	}
	var offer *Offer
	u, err := ParseURL(recipe.URL)
	if err == nil {
		offer, err = NewOffer(u, p.Payer.Sender, recipe.FetchedAt, recipe.Info)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: request %q: %w", store.ErrDamaged, r.ID, err)
	}
	return &delivery{offer: offer, tickets: tickets, segment: recipe.Segment, continued: recipe.Continued, record: r}, nil
}

// deliverPart delivers a part of a request. If it cannot be delivered as recorded, it changes the
// records instead: the part is split, or released if it was never sent and cannot be sent now.
func (p *paymentRun) deliverPart(ctx context.Context, d *delivery) (accepted bool, err error) {
	r := d.record
	if err := p.deliverable(ctx, d); err != nil {
		switch {
		case !errors.As(err, new(*policy.Refusal)) && !errors.As(err, new(*wire.ExpiredTokenError)):
			return false, err
		case r.State == store.Sent:
			return false, p.over(d, err)
		case p.fresh == r.Set:
			return false, errors.Join(err, p.release(ctx))
		}
		return false, p.release(ctx)
	}
	most, err := p.most(d.offer, d.tickets, d.segment)
	if err != nil {
		return false, err
	}
	if d.tickets.Count > most {
		return false, inProgress(p.Requests.SplitDelivery(ctx, p.Payer.Sender, r, most))
	}
	err = p.deliver(ctx, d)
	var unknown *UnknownOutcomeError
	switch {
	case err == nil:
		return r.State == store.Accepted, nil
	case errors.As(err, &unknown) && unknown.TooLarge && d.tickets.Count > 1:
		// A smaller limit is known now, so the part is split.
		if most, sizeErr := p.most(d.offer, d.tickets, d.segment); sizeErr == nil && most < d.tickets.Count {
			return false, nil
		}
	case errors.Is(err, ErrUnreachable) && r.State == store.Reserved && d.offer.Transcoder != p.URL:
		// Fresh params may name another place to pay at.
		releaseErr := p.release(ctx)
		if releaseErr == nil && p.fresh != r.Set {
			return false, nil
		}
		return false, errors.Join(err, releaseErr)
	}
	return false, err
}

// most returns how many of the tickets can be delivered at once.
func (p *paymentRun) most(offer *Offer, t *Tickets, segment string) (uint32, error) {
	return p.Client.fit(offer.Transcoder, t.batch(), t.Nonces.Last(), segment)
}

// deliverable fails for tickets that have expired since they were created: these can win without
// being credited.
func (p *paymentRun) deliverable(ctx context.Context, d *delivery) error {
	if err := d.offer.Info.GetAuthToken().Check(p.Client.now()); err != nil {
		return err
	}
	if d.record.Set <= p.lastFound() {
		if err := p.Payer.checkLedger(ctx, d.tickets); err != nil {
			return err
		}
	}
	if age := p.Payer.now().Sub(p.checkedAt); p.checked == d.record.Set && age >= 0 && age <= maxFactsAge {
		return nil
	}
	if err := p.Payer.check(ctx, &Plan{Params: d.tickets.Params, all: p.made}, uint64(d.tickets.Count)); err != nil {
		return err
	}
	p.checked, p.checkedAt = d.record.Set, p.Payer.now()
	return nil
}

// lastFound returns the last set that existed when this process began.
func (p *paymentRun) lastFound() int {
	if len(p.found) == 0 {
		return 0
	}
	return p.found[len(p.found)-1].Set
}

// release removes the request's tickets that were never sent, so that others replace them.
func (p *paymentRun) release(ctx context.Context) error {
	return inProgress(p.Requests.ReleaseRequest(ctx, p.Payer.Sender, p.records))
}

// over records that tickets which may have been sent cannot be delivered any more.
func (p *paymentRun) over(d *delivery, err error) error {
	return &UnknownOutcomeError{
		URL: d.offer.Transcoder.String(), Err: fmt.Errorf("they cannot be delivered again: %w", err), Request: d.record.ID, Again: true, Over: true,
	}
}

// make creates tickets for what is due. With a request they are only recorded, and delivered like
// its others.
func (p *paymentRun) make(ctx context.Context) error {
	amount := p.amount
	amount.Made, amount.Split = p.made, p.Requests != nil
	offer, plan, err := p.kept(ctx, amount)
	if err != nil {
		return err
	}
	unseen := offer == nil && p.key == nil // whether the chain was not asked about the sender
	if unseen && !p.Unattended {
		if err := p.Payer.CheckSender(ctx); err != nil {
			return err
		}
		unseen = false
	}
	if err := p.open(ctx); err != nil {
		return p.refusedSender(ctx, unseen, err)
	}
	if offer != nil {
		err := p.makeFrom(ctx, offer, plan, true)
		if errors.Is(err, errCreditTaken) {
			return p.make(ctx)
		}
		if !p.retryWithFreshParams(offer, err) {
			return err
		}
	}
	p.amount.Credit = amount.Credit // without that of the session that ends
	fetched, err := p.fetch(ctx, p.key)
	if err != nil {
		return p.refusedSender(ctx, unseen, err)
	}
	if plan, err = p.Payer.Plan(ctx, fetched.Params, amount); err != nil {
		return err
	}
	return p.makeFrom(ctx, fetched, plan, false)
}

// refusedSender returns the error of CheckSender for a sender that was not checked yet, else err.
func (p *paymentRun) refusedSender(ctx context.Context, unseen bool, stopped error) error {
	if unseen {
		if err := p.Payer.CheckSender(ctx); err != nil {
			return err
		}
	}
	return stopped
}

func (p *paymentRun) open(ctx context.Context) (err error) {
	if p.key == nil {
		p.key, err = p.Unlock(ctx)
	}
	return err
}

// makeFrom reserves a plan's tickets. Without a request, if they fit in one delivery, it delivers
// them.
func (p *paymentRun) makeFrom(ctx context.Context, offer *Offer, plan *Plan, continued bool) error {
	// The credentials come first: without them, the tickets are worthless to the recipient.
	segment, err := SegmentHeader(ctx, p.key, offer.Info.GetAuthToken(), p.Client.now())
	if err != nil {
		return err
	}
	if err := p.named(offer, plan, segment); err != nil {
		return err
	}
	if plan.Request, err = p.requestFor(offer, plan, segment, continued); err != nil {
		return err
	}
	if err := p.Pins.Keep(ctx, p.URL, offer.Params.Recipient); err != nil {
		return err
	}
	if err := p.takeCredit(ctx, plan); err != nil {
		return err
	}
	tickets, err := p.Payer.Reserve(ctx, plan)
	if err != nil {
		p.returnCredit(ctx, plan)
		return inProgress(err)
	}
	if tickets.Before != nil {
		p.returnCredit(ctx, plan)
		return fmt.Errorf("%w: %q", ErrInProgress, tickets.Before.ID)
	}
	if plan.Request == nil {
		d := &delivery{offer: offer, tickets: tickets, segment: segment, continued: continued}
		err := p.deliver(ctx, d)
		if err == nil {
			p.parts = append(p.parts, d)
		}
		if err == nil || errors.Is(err, errSent) {
			p.made = p.made.Plus(plan.cost())
		}
		return err
	}
	set := 1
	if n := len(p.records); n > 0 {
		set += p.records[n-1].Set
	}
	p.records = append(p.records, &store.Record{
		ID: plan.Request.ID, Digest: plan.Request.Digest, Record: plan.Request.Record, Set: set, State: store.Reserved,
		RecipientRandHash: plan.Params.RecipientRandHash, Nonces: tickets.Nonces,
	})
	p.made, p.checked, p.checkedAt = p.made.Plus(plan.cost()), set, plan.checkedAt
	if !continued {
		p.fresh = set
	}
	return nil
}

// named gives a payment that takes more than one delivery a generated request ID, so that the rest
// can be paid after a crash.
func (p *paymentRun) named(offer *Offer, plan *Plan, segment string) error {
	if p.request != nil || p.Requests == nil {
		return nil
	}
	all := &Tickets{Plan: plan, Sender: p.Payer.Sender, Nonces: pm.NonceRange{First: 1, Count: plan.Count}}
	most, err := p.most(offer, all, segment)
	if err == nil && (plan.Ahead > 0 || plan.Count > most) {
		p.request = &store.Request{ID: rand.Text(), Digest: p.Digest, Drawn: true}
	}
	return err
}

// requestFor returns the plan's request with the recipe of its tickets.
func (p *paymentRun) requestFor(offer *Offer, plan *Plan, segment string, continued bool) (*store.Request, error) {
	if p.request == nil {
		return nil, nil
	}
	recipe := Recipe{
		Info: offer.Info, URL: offer.URL.String(), FetchedAt: offer.FetchedAt,
		Expiration: plan.Expiration, Segment: segment, Value: p.amount.Value, Continued: continued,
	}
	if plan.credit.Amount != nil {
		recipe.Credit, recipe.CreditUntil = plan.credit.Amount, plan.credit.At.Add(creditLife)
	}
	request := *p.request
	request.After = p.records.Version()
	var err error
	request.Record, err = recipe.Encode()
	return &request, err
}

// retryWithFreshParams reports whether kept params failed before anything was sent, in a way that fresh params
// may not: nothing answers where they say to pay, or while the key was opened they expired, their
// nonces were used, or another address was pinned.
func (p *paymentRun) retryWithFreshParams(offer *Offer, err error) bool {
	if errors.Is(err, ErrUnreachable) {
		return offer.Transcoder != p.URL
	}
	return errors.Is(err, policy.ErrUnacceptable) || errors.As(err, new(*policy.Refusal)) || errors.As(err, new(*wire.ExpiredTokenError)) ||
		errors.Is(err, store.ErrRetired) || errors.As(err, new(*OtherRecipientError))
}

// partial adds what was accepted, and the request ID for paying the rest, to an error.
func (p *paymentRun) partial(err error) error {
	if err == nil || p.request == nil || len(p.records) == 0 {
		return err
	}
	paid := policy.Cost(0, nil, nil)
	for _, d := range p.parts {
		paid = paid.Plus(d.tickets.cost())
	}
	if paid.Tickets == 0 && !p.request.Drawn {
		return err
	}
	return &PartialError{Request: p.request.ID, Paid: paid, Err: err}
}

// result returns the payment once all of it is accepted.
func (p *paymentRun) result() *Payment {
	first := p.parts[0]
	payment := &Payment{Credit: p.amount.Credit, Offer: first.offer, Continued: first.continued, Tickets: first.tickets, Sent: p.sent, NextErr: errors.Join(p.nextErr, p.noteErr)}
	for _, d := range p.parts {
		payment.Parts = append(payment.Parts, d.tickets)
	}
	for i := range p.found {
		if r := &p.found[i]; payment.Before == nil || r.State != store.Accepted && payment.Before.State == store.Accepted {
			payment.Before = r
		}
	}
	return payment
}
