package pm

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// newFuzzLottery is the same in every process, so that a stored corpus means the same tickets.
func newFuzzLottery(f *testing.F) (*lottery, *TicketParams) {
	f.Helper()
	l := newLottery(f, testConfig)
	l.signer = newKeySigner(f, bytes.Repeat([]byte{1}, 32))
	l.sender, l.addr = l.signer.Account().Address, common.Address{0xee, 1}
	l.chain.fund(l.sender)
	l.Recipient = NewRecipientWithSecret(l.addr, l.chain, NewValidator(&DefaultSigVerifier{}, l.chain), l.chain, l.sm, l.chain, [32]byte{9}, testConfig)
	params := l.params()
	params.Seed = big.NewInt(77)
	params.RecipientRandHash = recipientRandHash(l.secretNumber(NewTicket(params, nil, l.sender, 0), params.Seed))
	return l, params
}

// FuzzReceiveTicket sends tickets of any kind to a recipient, signed by any key or by a hostile
// sender: none may panic, and none that differs from the params in more than its nonce is
// accepted.
func FuzzReceiveTicket(f *testing.F) {
	l, params := newFuzzLottery(f)
	ticket, sig := l.ticket(params, 1)
	price := ticket.PricePerPixel
	for _, signed := range []bool{false, true} {
		f.Add(ticket.Recipient[:], ticket.Sender[:], ticket.FaceValue.Bytes(), ticket.WinProb.Bytes(), uint32(1), ticket.RecipientRandHash[:], ticket.CreationRound, ticket.CreationRoundBlockHash[:], ticket.ParamsExpirationBlock.Bytes(), price.Num().Bytes(), price.Denom().Bytes(), sig, params.Seed.Bytes(), false, signed)
	}
	f.Add([]byte{}, []byte{}, make([]byte, 33), []byte{1}, uint32(0), []byte{}, int64(-1), []byte{}, []byte{}, []byte{1}, []byte{}, []byte{}, make([]byte, 40), true, true)
	f.Fuzz(func(t *testing.T, recipient, sender, faceValue, winProb []byte, nonce uint32, hash []byte, round int64, blockHash, expiration, num, denom, gotSig, seed []byte, negative, signed bool) {
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
		}
		if d := number(denom); d.Sign() != 0 {
			got.PricePerPixel = new(big.Rat).SetFrac(number(num), d)
		}
		if signed {
			var err error
			if gotSig, err = l.signer.Sign(got.Hash().Bytes()); err != nil {
				t.Fatal(err)
			}
		}
		_, won, err := l.ReceiveTicket(got, gotSig, number(seed))
		if err != nil && !won {
			return
		}
		want := NewTicket(params, nil, l.sender, nonce)
		if got.Hash() != want.Hash() || got.ParamsExpirationBlock.Cmp(want.ParamsExpirationBlock) != 0 || got.PricePerPixel.Cmp(want.PricePerPixel) != 0 || number(seed).Cmp(params.Seed) != 0 {
			t.Errorf("accepted: %+v", got)
		}
		if _, _, err := l.ReceiveTicket(got, gotSig, number(seed)); err == nil {
			t.Errorf("accepted twice: %+v", got)
		}
	})
}

// FuzzVerify checks hostile signatures: any changed bit is refused, as are other messages and
// other addresses.
func FuzzVerify(f *testing.F) {
	signer, msg := newKeySigner(f, bytes.Repeat([]byte{1}, 32)), crypto.Keccak256([]byte("ticket"))
	good, err := signer.Sign(msg)
	if err != nil {
		f.Fatal(err)
	}
	addr := signer.Account().Address
	high := bytes.Clone(good) // the same signature with its S mirrored
	new(big.Int).Sub(crypto.S256().Params().N, new(big.Int).SetBytes(good[32:64])).FillBytes(high[32:64])
	high[64] ^= 7 // swaps 27 and 28
	for _, sig := range [][]byte{good, high, good[:64], nil, append(bytes.Clone(good), 0)} {
		f.Add(addr[:], msg, sig)
	}
	f.Fuzz(func(t *testing.T, from, gotMsg, sig []byte) {
		who, isGood := common.BytesToAddress(from), bytes.Equal(sig, good) && bytes.Equal(gotMsg, msg)
		if got := (&DefaultSigVerifier{}).Verify(who, gotMsg, sig); isGood && got != (who == addr) || got && !isGood && who == addr {
			t.Errorf("verify %v, %x, %x: %v", who, gotMsg, sig, got)
		}
	})
}
