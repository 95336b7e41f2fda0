package wallet

import (
	"bytes"
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// keptOffers stores recipients' offers as params documents.
type keptOffers struct {
	chain *store.Chain
	id    string
}

// Load implements pay.Kept. A document that cannot be read counts as none, since fresh params are
// easy to get.
func (k keptOffers) Load(ctx context.Context, sender common.Address, u pay.URL) (*pay.Offer, error) {
	document, err := k.chain.Params(ctx, sender, u.String())
	if errors.Is(err, store.ErrNoParams) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	params, err := format.ReadParams(bytes.NewReader(document))
	if err != nil || params.StoreID != k.id || common.Address(params.Sender) != sender {
		return nil, nil
	}
	info, err := params.Info()
	if err != nil {
		return nil, nil
	}
	offer, err := pay.NewOffer(u, sender, params.FetchedAt, info)
	if err != nil {
		return nil, nil
	}
	if offer.Works, err = params.WorksAsked(); err != nil {
		return nil, nil
	}
	return offer, nil
}

// Save implements pay.Kept.
func (k keptOffers) Save(ctx context.Context, offer *pay.Offer) error {
	params, err := paramsOf(offer, k.id)
	if err != nil {
		return err
	}
	var document bytes.Buffer
	if err := format.Write(&document, format.KindParams, params); err != nil {
		return err
	}
	return k.chain.SaveParams(ctx, offer.Sender, offer.URL.String(), document.Bytes())
}

// Drop implements pay.Kept.
func (k keptOffers) Drop(ctx context.Context, sender common.Address, u pay.URL) error {
	return k.chain.DropParams(ctx, sender, u.String())
}

func paramsOf(offer *pay.Offer, storeID string) (*format.Params, error) {
	params, err := format.ParamsFromInfo(offer.Info, offer.Sender, offer.URL.String(), storeID, offer.FetchedAt)
	if err == nil {
		params.SetWorks(offer.Works)
	}
	return params, err
}
