package pm

import (
	"errors"
	"math/big"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/crypto"
	"pgregory.net/rapid"
)

// drawUint draws an integer of n bits, small and large ones alike.
func drawUint(t *rapid.T, name string, bits int) *big.Int {
	n := rapid.IntRange(0, bits/8).Draw(t, name+" bytes")
	return new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, name))
}

func drawHash(t *rapid.T, name string) common.Hash {
	return common.BytesToHash(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, name))
}

func drawTicket(t *rapid.T) *Ticket {
	return &Ticket{
		Recipient:              common.BytesToAddress(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "recipient")),
		Sender:                 common.BytesToAddress(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "sender")),
		FaceValue:              drawUint(t, "faceValue", 256),
		WinProb:                drawUint(t, "winProb", 256),
		SenderNonce:            rapid.Uint32().Draw(t, "senderNonce"),
		RecipientRandHash:      drawHash(t, "recipientRandHash"),
		CreationRound:          rapid.Int64Min(0).Draw(t, "creationRound"),
		CreationRoundBlockHash: drawHash(t, "creationRoundBlockHash"),
	}
}

// TestHashIsThePackedFields computes the hash by hand.
func TestHashIsThePackedFields(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ticket := drawTicket(t)
		var aux []byte
		if ticket.CreationRound != 0 || ticket.CreationRoundBlockHash != (common.Hash{}) {
			aux = append(math.PaddedBigBytes(big.NewInt(ticket.CreationRound), 32), ticket.CreationRoundBlockHash.Bytes()...)
		}
		want := crypto.Keccak256Hash(
			ticket.Recipient.Bytes(),
			ticket.Sender.Bytes(),
			common.LeftPadBytes(ticket.FaceValue.Bytes(), 32),
			common.LeftPadBytes(ticket.WinProb.Bytes(), 32),
			common.LeftPadBytes(new(big.Int).SetUint64(uint64(ticket.SenderNonce)).Bytes(), 32),
			ticket.RecipientRandHash.Bytes(),
			aux,
		)
		if got := ticket.Hash(); got != want {
			t.Fatalf("hash is %v, want %v", got, want)
		}
		ev := new(big.Int).Mul(ticket.FaceValue, ticket.WinProb)
		ones, _ := new(big.Int).SetString("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 16)
		if want := new(big.Rat).SetFrac(ev, ones); ticket.EV().Cmp(want) != 0 {
			t.Fatalf("EV is %v, want %v", ticket.EV(), want)
		}
		if want := new(big.Rat).SetFrac(ticket.WinProb, ones); ticket.WinProbRat().Cmp(want) != 0 {
			t.Fatalf("winProb is %v, want %v", ticket.WinProbRat(), want)
		}
	})
}

// TestWideFieldsHaveNoHash: a number over 32 bytes, hashed as it is, would shift the later
// fields, so that one signature would be valid for two tickets.
func TestWideFieldsHaveNoHash(t *testing.T) {
	wide := new(big.Int).Lsh(big.NewInt(1), 256)
	for _, c := range []struct {
		name   string
		change func(*Ticket)
		want   FieldError
	}{
		{"faceValue", func(t *Ticket) { t.FaceValue = wide }, FieldError{Field: "faceValue", Bits: 257}},
		{"winProb", func(t *Ticket) { t.WinProb = wide }, FieldError{Field: "winProb", Bits: 257}},
		{"expirationBlock", func(t *Ticket) { t.ParamsExpirationBlock = wide }, FieldError{Field: "expirationBlock", Bits: 257}},
		{"negative faceValue", func(t *Ticket) { t.FaceValue = big.NewInt(-1) }, FieldError{Field: "faceValue", Negative: true, Bits: 1}},
		{"negative winProb", func(t *Ticket) { t.WinProb = big.NewInt(-1) }, FieldError{Field: "winProb", Negative: true, Bits: 1}},
		{"negative creationRound", func(t *Ticket) { t.CreationRound = -1 }, FieldError{Field: "creationRound", Negative: true, Bits: 64}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ticket := NewTicket(testParams(), nil, RandAddress(), 1)
			if ticket.CheckFields() != nil || ticket.Hash() == (common.Hash{}) {
				t.Fatal("the unchanged ticket is refused")
			}
			c.change(ticket)
			var got *FieldError
			if err := ticket.CheckFields(); !errors.As(err, &got) || *got != c.want {
				t.Errorf("error is %#v, want %#v", got, c.want)
			}
			if hash := ticket.Hash(); hash != (common.Hash{}) {
				t.Errorf("hash is %v, want none", hash)
			}
		})
	}
}

func TestFieldErrorTellsTheLimit(t *testing.T) {
	for err, want := range map[error]string{
		&FieldError{Field: "seed", Bits: 264}:                      "seed has 264 bits, at most 256",
		&FieldError{Field: "winProb", Negative: true, Bits: 1}:     "winProb is negative",
		checkUint("faceValue", new(big.Int).Lsh(common.Big1, 256)): "faceValue has 257 bits, at most 256",
	} {
		if err.Error() != want {
			t.Errorf("message is %q, want %q", err, want)
		}
	}
	if err := checkUint("faceValue", maxWinProb()); err != nil {
		t.Errorf("2^256-1 is refused: %v", err)
	}
}

func TestNilNumbersCountAsZero(t *testing.T) {
	empty, zero := &Ticket{}, &Ticket{FaceValue: new(big.Int), WinProb: new(big.Int), ParamsExpirationBlock: new(big.Int)}
	if empty.Hash() != zero.Hash() || empty.Hash() == (common.Hash{}) {
		t.Errorf("hashes are %v and %v, want them equal", empty.Hash(), zero.Hash())
	}
	if empty.EV().Sign() != 0 || empty.WinProbRat().Sign() != 0 || (&TicketParams{}).EV().Sign() != 0 {
		t.Error("a ticket without numbers is worth something")
	}
	if aux := (*TicketExpirationParams)(nil).AuxData(); len(aux) != 0 {
		t.Errorf("auxData is %x, want none", aux)
	}
	if (*Ticket)(nil).CheckFields() == nil || (*TicketParams)(nil).CheckFields() == nil {
		t.Error("no ticket and no params are accepted")
	}
}

// TestTicketsLoseNoField: every field of a batch's ticket is set, also those that are not
// hashed, and no memory is shared.
func TestTicketsLoseNoField(t *testing.T) {
	params := testParams()
	expiration := &TicketExpirationParams{CreationRound: 77, CreationRoundBlockHash: RandHash()}
	batch := &TicketBatch{
		TicketParams:           params,
		TicketExpirationParams: expiration,
		Sender:                 RandAddress(),
		SenderParams:           []*TicketSenderParams{{SenderNonce: 5, Sig: []byte{1}}, {SenderNonce: 9, Sig: []byte{2}}},
	}
	tickets := batch.Tickets()
	if len(tickets) != 2 || tickets[0].SenderNonce != 5 || tickets[1].SenderNonce != 9 {
		t.Fatalf("tickets are %v", tickets)
	}
	for i, ticket := range tickets {
		v := reflect.ValueOf(*ticket)
		for f := range v.NumField() {
			if v.Field(f).IsZero() {
				t.Errorf("ticket %d lost its %s", i, v.Type().Field(f).Name)
			}
		}
		if ticket.CreationRound != 77 || ticket.CreationRoundBlockHash != expiration.CreationRoundBlockHash {
			t.Errorf("ticket %d belongs to round %d, want the batch's, 77", i, ticket.CreationRound)
		}
		if ticket.ParamsExpirationBlock.Cmp(params.ExpirationBlock) != 0 || ticket.PricePerPixel.Cmp(params.PricePerPixel) != 0 {
			t.Errorf("ticket %d has other params than the batch", i)
		}
	}
	want := tickets[1].Hash()
	for _, v := range []*big.Int{params.FaceValue, params.WinProb, params.ExpirationBlock, tickets[0].FaceValue, tickets[0].WinProb} {
		v.SetInt64(1)
	}
	params.PricePerPixel.SetInt64(1)
	if tickets[1].Hash() != want || tickets[1].PricePerPixel.Cmp(big.NewRat(1200, 7)) != 0 || tickets[1].ParamsExpirationBlock.Int64() != 1040 {
		t.Error("a ticket shares memory with its batch")
	}
}

func TestNewTicketTakesTheRoundFromWhereItIs(t *testing.T) {
	params := testParams()
	if got := NewTicket(params, nil, RandAddress(), 1).CreationRound; got != 10 {
		t.Errorf("without expiration params the round is %d, want the params' own, 10", got)
	}
	if got := NewTicket(params, &TicketExpirationParams{CreationRound: 3}, RandAddress(), 1).CreationRound; got != 3 {
		t.Errorf("round is %d, want 3", got)
	}
	params.ExpirationParams = nil
	if got := NewTicket(params, nil, RandAddress(), 1).AuxData(); len(got) != 0 {
		t.Errorf("auxData is %x, want none", got)
	}
}

func TestParamsCloneAndEqual(t *testing.T) {
	p := testParams()
	if !p.equal(p.clone()) {
		t.Fatal("a copy is not equal")
	}
	zero, empty := &TicketParams{FaceValue: new(big.Int), PricePerPixel: new(big.Rat), ExpirationParams: &TicketExpirationParams{}}, &TicketParams{}
	if !zero.equal(empty) || !empty.equal(zero) {
		t.Error("0 and nil are not equal")
	}
	for name, change := range map[string]func(*TicketParams){
		"recipient":  func(p *TicketParams) { p.Recipient[0]++ },
		"faceValue":  func(p *TicketParams) { p.FaceValue.SetInt64(3) },
		"winProb":    func(p *TicketParams) { p.WinProb.SetInt64(3) },
		"hash":       func(p *TicketParams) { p.RecipientRandHash[0]++ },
		"seed":       func(p *TicketParams) { p.Seed.SetInt64(3) },
		"expiration": func(p *TicketParams) { p.ExpirationBlock.SetInt64(3) },
		"price":      func(p *TicketParams) { p.PricePerPixel.SetInt64(3) },
		"round":      func(p *TicketParams) { p.ExpirationParams.CreationRound++ },
	} {
		q := p.clone()
		change(q)
		if p.equal(q) {
			t.Errorf("params with another %s are equal, or share memory", name)
		}
	}
}
