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

// OfferOptions are the parameters of Offers.
type OfferOptions struct {
	// Works are what the params are for, at their own price; none for transcoding.
	Works []wire.Work
	// Judge checks the offers against the limits and the chain.
	Judge bool
}

// OfferResult is a recipient's offer, or the reason for its absence.
type OfferResult struct {
	// Offer is the recipient's answer. Took is how long it took, including the connection.
	Offer *pay.Offer
	Took  time.Duration
	// Judged are the checks of the offer; nil for one that must not be used.
	*Judged
	// Err is why there is no usable offer.
	Err error
}

// Offers asks recipients for ticket params, all at once. It fails only if the key cannot be opened,
// and with ErrNoAccount and ErrNoStore.
// A failed recipient has its own Err, of pay.Client.Fetch, pay.Pins.Check or policy.Limits.Check,
// pay.ErrNoTarget or ErrNotRegistered.
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

// about reads what the chain records about the recipients that answered; nil if no node answers,
// since the offers are valid without.
func (v *chainView) about(ctx context.Context, offers []OfferResult) *pm.Facts {
	var about []pm.Counterparty
	for _, of := range offers {
		if of.Err == nil {
			about = append(about, pm.CounterpartyOf(of.Offer.Params))
		}
	}
	facts, err := v.newest(ctx, about...)
	if err != nil {
		v.note("not checked on the chain: %v", err)
		return nil
	}
	return &facts
}

// askedAtOnce limits how many recipients are asked concurrently.
const askedAtOnce = 16

// ask asks recipients for ticket params. Each result has an offer or an error, and neither if the
// URL is zero.
func (w *Wallet) ask(ctx context.Context, urls []pay.URL, works []wire.Work) ([]OfferResult, error) {
	key, err := w.Account.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	request, err := wire.NewOrchestratorRequest(signer.ForPM(ctx, key)) // proves to the recipient who will pay
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

// mayUse refuses an offer that would pay another address than the user allows: what is printed may
// be used.
func (w *Wallet) mayUse(ctx context.Context, to pay.Target, offer *pay.Offer) error {
	if err := w.Limits.Explain(w.Limits.CheckRecipient(offer.Params.Recipient)); err != nil {
		return err
	}
	return w.pins(to).Check(ctx, offer.URL, offer.Params.Recipient)
}

func (w *Wallet) document(offer *pay.Offer) (*format.Params, error) {
	document, err := paramsOf(offer, w.store.ID())
	if err != nil {
		return nil, fmt.Errorf("%w (%s): %w", pay.ErrMalformed, offer.URL, err)
	}
	return document, nil
}
