package wallet

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/signer"
)

// OfferOptions says how recipients are asked for ticket params.
type OfferOptions struct {
	// Works are what the params are for, at their own price; none for transcoding.
	Works []wire.Work

	// Judge holds the answers to the limits, and to what the chain says now.
	Judge bool
}

// Offered is what came of asking a recipient.
type OfferResult struct {
	// Offer is its answer, and Took how long that took, the connection included.
	Offer *pay.Offer
	Took  time.Duration

	// Judged is the answer as users see it; nil for one that must not be used.
	*Judged

	// Err is why there is no such answer, or what speaks against it.
	Err error
}

// Offers asks recipients for ticket params, all at once. It fails when the key cannot be
// opened; what a recipient answers is its own Err: as pay.Client.Fetch, pay.Pins.Check and
// policy.Limits.Check fail, and ErrNotRegistered.
func (w *Wallet) Offers(ctx context.Context, of []pay.Target, o OfferOptions) ([]OfferResult, error) {
	if err := w.requireAccount(); err != nil {
		return nil, err
	}
	if _, err := w.Account.Unlock(ctx); err != nil {
		return nil, err
	}
	look := chainView{Wallet: w}
	urls, unlocated := make([]pay.URL, len(of)), make([]error, len(of))
	for i, to := range of {
		urls[i], unlocated[i] = look.locate(ctx, to, o.Works)
	}
	if o.Judge {
		defer look.begin(ctx)()
	}
	done := w.UI.Progress(func() string { return "waiting for the answers of " + words.Count(len(urls), "recipient") })
	offers, err := w.ask(ctx, urls, o.Works)
	done()
	if err != nil {
		return nil, err
	}
	for i, err := range unlocated {
		offers[i].Err = cmp.Or(err, offers[i].Err)
	}
	var facts *pm.Facts
	if o.Judge {
		facts = look.about(ctx, offers)
	}
	for i := range offers {
		to, of := of[i], &offers[i]
		if of.Err != nil {
			continue
		}
		if of.Err = w.mayUse(ctx, to, of.Offer); of.Err != nil {
			continue
		}
		var document *format.Params
		if document, of.Err = w.document(of.Offer); of.Err != nil {
			continue
		}
		of.Judged = judge(w.Limits, document, of.Offer.Params, facts)
		if o.Judge {
			of.Err = of.Against
		}
	}
	return offers, nil
}

// about is what the chain says of those who answered. It only helps to judge them: it is no
// failure when no node answers.
func (v *chainView) about(ctx context.Context, offers []OfferResult) *pm.Facts {
	var about []pm.Counterparty
	for _, of := range offers {
		if of.Err == nil {
			about = append(about, pm.CounterpartyOf(of.Offer.Params))
		}
	}
	facts, err := v.newest(ctx, about...)
	if err != nil {
		v.note("not checked against the chain: %v", err)
		return nil
	}
	return &facts
}

// askedAtOnce is how many recipients are asked at the same time.
const askedAtOnce = 16

// ask asks recipients for ticket params. Of each there is an offer or an error, and neither
// where the URL is zero.
func (w *Wallet) ask(ctx context.Context, urls []pay.URL, works []wire.Work) ([]OfferResult, error) {
	key, err := w.Account.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	request, err := wire.NewOrchestratorRequest(signer.ForPM(ctx, key)) // which proves whose tickets will pay
	if err != nil {
		return nil, err
	}
	client, offers := w.asking(works), make([]OfferResult, len(urls))
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i, u := range urls {
		if u == (pay.URL{}) {
			continue
		}
		group.Go(func() error {
			began, of := time.Now(), &offers[i]
			of.Offer, of.Err = client.Fetch(ctx, u, request)
			of.Took = time.Since(began)
			return nil
		})
	}
	_ = group.Wait() // each call has its own error
	return offers, nil
}

// mayUse fails for an offer that pays an address which the user does not allow: params that
// are printed will be used.
func (w *Wallet) mayUse(ctx context.Context, to pay.Target, offer *pay.Offer) error {
	if err := w.Limits.Explain(w.Limits.CheckRecipient(offer.Params.Recipient)); err != nil {
		return err
	}
	return w.pins(to).Check(ctx, offer.URL, offer.Params.Recipient)
}

// document returns an offer as users see it.
func (w *Wallet) document(offer *pay.Offer) (*format.Params, error) {
	document, err := paramsOf(offer, w.store.ID())
	if err != nil {
		return nil, fmt.Errorf("%w (%s): %w", pay.ErrMalformed, offer.URL, err)
	}
	return document, nil
}
