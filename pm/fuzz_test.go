package pm

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

// FuzzReceiveTicket throws tickets of any kind at a recipient: none may panic, and
// none that differs from the good one is accepted.
func FuzzReceiveTicket(f *testing.F) {
	l := newLottery(f, testConfig)
	params := l.params()
	ticket, sig := l.ticket(params, 1)
	f.Add(ticket.Recipient[:], ticket.Sender[:], ticket.FaceValue.Bytes(), ticket.WinProb.Bytes(), uint32(1), ticket.RecipientRandHash[:], int64(10), ticket.CreationRoundBlockHash[:], ticket.ParamsExpirationBlock.Bytes(), sig, params.Seed.Bytes(), false)
	f.Add([]byte{}, []byte{}, make([]byte, 33), []byte{1}, uint32(0), []byte{}, int64(-1), []byte{}, []byte{}, []byte{}, make([]byte, 40), true)
	f.Fuzz(func(t *testing.T, recipient, sender, faceValue, winProb []byte, nonce uint32, hash []byte, round int64, blockHash, expiration, gotSig, seed []byte, negative bool) {
		number := func(b []byte) *big.Int {
			v := new(big.Int).SetBytes(b)
			if negative {
				v.Neg(v)
			}
			return v
		}
		got := &Ticket{
			Recipient: common.BytesToAddress(recipient), Sender: common.BytesToAddress(sender),
			FaceValue: number(faceValue), WinProb: number(winProb), SenderNonce: nonce, RecipientRandHash: common.BytesToHash(hash),
			CreationRound: round, CreationRoundBlockHash: common.BytesToHash(blockHash), ParamsExpirationBlock: number(expiration),
			PricePerPixel: ticket.PricePerPixel,
		}
		_, won, err := l.ReceiveTicket(got, gotSig, number(seed))
		if (won || err == nil) && got.Hash() != ticket.Hash() {
			t.Errorf("accepted: %+v", got)
		}
	})
}
