package cmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// requested is the request for a batch, nil when it has no id. What comes on stdin is
// often fetched anew by a retry, so that its recipient alone tells requests apart.
func (o *batchOptions) requested(cmd *cobra.Command, u pay.URL, document *format.Params, amount pay.Amount) (*store.Request, error) {
	source := "url " + u.String()
	switch {
	case document == nil:
	case o.params == "-":
		source = "recipient " + common.Address(document.Offer.Recipient).Hex()
	default:
		text, err := json.Marshal(document)
		if err != nil {
			return nil, err
		}
		digest := sha256.Sum256(text)
		source = "params " + hex.EncodeToString(digest[:])
	}
	return o.request.request(cmd, "batch", source, fmt.Sprint(amount.Count), amount.Value.Decimal())
}

// batchBefore returns the batch that was made for a request, nil when none was.
func (r *run) batchBefore(ctx context.Context, w *payerWallet, request *store.Request) (*readyBatch, error) {
	if request == nil {
		return nil, nil
	}
	records, err := w.store.Chain(w.network.ChainID).Requested(ctx, w.account.Address(), *request)
	before := records.First()
	if err != nil || before == nil {
		return nil, err
	}
	payer := w.payer()
	if _, _, err := payer.Again(ctx, before); err != nil {
		return nil, err // before anybody is asked for a passphrase
	}
	signer, err := w.unlock(ctx)
	if err != nil {
		return nil, err
	}
	return r.sameBatch(ctx, payer, before, signer)
}

// sameBatch is a batch that was made before.
func (r *run) sameBatch(ctx context.Context, payer *pay.Payer, before *store.Record, signer pm.Signer) (*readyBatch, error) {
	recipe, tickets, err := payer.Again(ctx, before)
	if err != nil {
		return nil, err
	}
	r.note("request %s was made at %s: these are the same tickets", plainText(before.ID), before.At.Format(time.RFC3339))
	return &readyBatch{tickets, recipe.Segment, signer}, nil
}
