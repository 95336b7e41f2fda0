package wallet

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
)

// askedAtOnce is how many recipients are asked at the same time.
const askedAtOnce = 16

// Fetch asks several recipients for ticket params at once, for works at their own price, if
// there are any. Of each there is either an offer or an error. It fails when the key cannot
// be opened.
func (w *Wallet) Fetch(ctx context.Context, urls []pay.URL, works []wire.Work) ([]*pay.Offer, []error, error) {
	request, err := w.request(ctx)
	if err != nil {
		return nil, nil, err
	}
	client := w.asking(works)
	offers, errs := make([]*pay.Offer, len(urls)), make([]error, len(urls))
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i, u := range urls {
		group.Go(func() error {
			offers[i], errs[i] = client.Fetch(ctx, u, request)
			return nil
		})
	}
	_ = group.Wait() // each call has its own error
	return offers, errs, nil
}
