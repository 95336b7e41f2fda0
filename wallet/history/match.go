package history

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/store"
)

// MatchAll finds the ledger entries of the redeemed tickets. Until its redemption, recipientRand is
// the recipient's secret, and its hash identifies the session, so no two tickets share both it and
// the nonce.
func MatchAll(ctx context.Context, ledger *store.Chain, sender common.Address, events []Event) error {
	const nonceBits = 32
	for _, e := range events {
		r := e.Redemption
		if r == nil || r.SenderNonce.Big().BitLen() > nonceBits {
			continue
		}
		made, err := ledger.ReservationOf(ctx, sender, r.RecipientRandHash, uint32(r.SenderNonce.Big().Uint64()))
		if errors.Is(err, store.ErrNoReservation) {
			continue
		}
		if err != nil {
			return err
		}
		r.Match, r.Made = Contradicts, &Made{made.At, made.Nonces.First, made.Nonces.Count, format.NewTicketEV(made.TicketEV), made.Client}
		ticket := pm.TicketParams{FaceValue: r.FaceValue.Big(), WinProb: r.WinProb.ToBig()}
		if made.Recipient == common.Address(r.Recipient) && made.FaceValue.Cmp(ticket.FaceValue) == 0 && made.TicketEV.Cmp(ticket.EV()) == 0 {
			r.Match = Matched
		}
	}
	return nil
}
