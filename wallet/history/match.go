package history

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store"
)

// MatchAll finds the entries of the ledger that the redeemed tickets came from. A
// recipientRand is the recipient's secret until then and its hash names the session, so
// that no two tickets have both in common with the nonce.
func MatchAll(ctx context.Context, ledger *store.Chain, sender common.Address, events []Event) error {
	for _, e := range events {
		if e.Redemption == nil {
			continue
		}
		if err := e.Redemption.match(ctx, ledger, sender); err != nil {
			return err
		}
	}
	return nil
}

func (r *Redemption) match(ctx context.Context, ledger *store.Chain, sender common.Address) error {
	const nonceBits = 32
	r.Match, r.Made = Unknown, nil
	if r.SenderNonce.BitLen() > nonceBits {
		return nil
	}
	made, err := ledger.ReservationOf(ctx, sender, r.RecipientRandHash, uint32(r.SenderNonce.Uint64()))
	if errors.Is(err, store.ErrNoReservation) {
		return nil
	}
	if err != nil {
		return err
	}
	r.Match, r.Made = Contradicts, &Made{made.At, made.Nonces.First, made.Nonces.Count, made.TicketEV}
	ticket := pm.TicketParams{FaceValue: r.FaceValue.Big(), WinProb: r.WinProb.ToBig()}
	if made.Recipient == common.Address(r.Recipient) && made.FaceValue.Cmp(ticket.FaceValue) == 0 && made.TicketEV.Cmp(ticket.EV()) == 0 {
		r.Match = Matched
	}
	return nil
}
