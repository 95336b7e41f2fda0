package pm

import (
	"errors"
	"math/big"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"pgregory.net/rapid"
)

// TestWinRule computes the draw by hand, with probabilities at the draw and next to it.
func TestWinRule(t *testing.T) {
	validator := NewValidator(&DefaultSigVerifier{}, nil)
	rapid.Check(t, func(t *rapid.T) {
		sig := rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "sig")
		recipientRand := drawUint(t, "recipientRand", 256)
		var word [32]byte
		recipientRand.FillBytes(word[:])
		draw := new(big.Int).SetBytes(crypto.Keccak256(sig, word[:]))
		near := new(big.Int).Add(draw, big.NewInt(rapid.Int64Range(-2, 2).Draw(t, "distance")))
		for _, winProb := range []*big.Int{draw, near, drawUint(t, "winProb", 256)} {
			if winProb.Sign() < 0 || winProb.BitLen() > 256 {
				continue
			}
			ticket := &Ticket{WinProb: winProb}
			if got, want := validator.IsWinningTicket(ticket, sig, recipientRand), draw.Cmp(winProb) < 0; got != want {
				t.Fatalf("a draw of %v at winProb %v: won is %v, want %v", draw, winProb, got, want)
			}
		}
	})
}

// TestBatchTicketsAreComplete: a batch's tickets have every field of any params and round, with
// their own nonces.
func TestBatchTicketsAreComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		params := &TicketParams{
			Recipient:         common.BytesToAddress(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "recipient")),
			FaceValue:         drawUint(t, "faceValue", 256),
			WinProb:           drawUint(t, "winProb", 256),
			RecipientRandHash: drawHash(t, "recipientRandHash"),
			Seed:              drawUint(t, "seed", 256),
			ExpirationBlock:   drawUint(t, "expirationBlock", 256),
			PricePerPixel:     big.NewRat(rapid.Int64Min(0).Draw(t, "price"), rapid.Int64Min(1).Draw(t, "pixels")),
		}
		expiration := &TicketExpirationParams{rapid.Int64Min(0).Draw(t, "round"), drawHash(t, "block hash")}
		batch := &TicketBatch{TicketParams: params, TicketExpirationParams: expiration, Sender: RandAddress()}
		nonces := rapid.SliceOfN(rapid.Uint32(), 0, 5).Draw(t, "nonces")
		for _, nonce := range nonces {
			batch.SenderParams = append(batch.SenderParams, &TicketSenderParams{SenderNonce: nonce})
		}
		tickets := batch.Tickets()
		if len(tickets) != len(nonces) {
			t.Fatalf("%d tickets, want %d", len(tickets), len(nonces))
		}
		for i, ticket := range tickets {
			complete := ticket.Recipient == params.Recipient && ticket.Sender == batch.Sender && ticket.SenderNonce == nonces[i] &&
				ticket.FaceValue.Cmp(params.FaceValue) == 0 && ticket.WinProb.Cmp(params.WinProb) == 0 &&
				ticket.RecipientRandHash == params.RecipientRandHash &&
				ticket.CreationRound == expiration.CreationRound && ticket.CreationRoundBlockHash == expiration.CreationRoundBlockHash &&
				ticket.ParamsExpirationBlock.Cmp(params.ExpirationBlock) == 0 && ticket.PricePerPixel.Cmp(params.PricePerPixel) == 0
			if !complete {
				t.Fatalf("ticket %d is %+v, the batch %+v", i, ticket, batch)
			}
		}
	})
}

// drawLottery draws an economy: a chain, a recipient's config and a sender's funds. It discards
// those in which the recipient has no params that a sender accepts.
func drawLottery(t testing.TB, rt *rapid.T) (*lottery, Sender, *TicketParams) {
	l := newLottery(t, TicketParamsConfig{
		EV:               drawUint(rt, "EV", 96),
		RedeemGas:        rapid.IntRange(0, 1<<24).Draw(rt, "gas"),
		TxCostMultiplier: rapid.IntRange(1, 1000).Draw(rt, "multiplier"),
	})
	l.chain.gasPrice = drawUint(rt, "gas price", 48)
	l.chain.round = big.NewInt(rapid.Int64Range(1, 1<<40).Draw(rt, "round"))
	l.chain.block = drawUint(rt, "block", 64)
	l.chain.pool = big.NewInt(rapid.Int64Range(1, 200).Draw(rt, "pool"))
	if rapid.Bool().Draw(rt, "round without block hash") {
		l.chain.hash = [32]byte{}
	}
	funds := l.chain.senders[l.sender]
	funds.Deposit = new(big.Int).Add(drawUint(rt, "deposit", 160), common.Big1)
	funds.Reserve.FundsRemaining = new(big.Int).Add(drawUint(rt, "reserve", 160), common.Big1)
	params, err := l.TicketParams(l.sender, big.NewRat(rapid.Int64Range(0, 1e9).Draw(rt, "price"), 7))
	if errors.Is(err, ErrInsufficientSenderReserve) {
		rt.Skip(err)
	}
	if err != nil {
		rt.Fatal(err)
	}
	sender := NewSender(l.signer, l.chain, l.chain, nil, nil, 1)
	var dear *FaceValueError
	if err := sender.ValidateTicketParams(params); errors.Is(err, ErrEVNotBelowFaceValue) || errors.As(err, &dear) {
		rt.Skip(err)
	} else if err != nil {
		rt.Fatal(err)
	}
	return l, sender, params
}

// TestAnyBatchIsReceived: in any economy a Sender's batch from a Recipient's params satisfies a
// Validator and that Recipient, with or without a round in the params.
func TestAnyBatchIsReceived(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, sender, params := drawLottery(t, rt)
		asked := params.clone()
		if rapid.Bool().Draw(rt, "params without round") {
			asked.ExpirationParams = nil
		}
		id := sender.StartSession(*asked)
		validator := NewValidator(&DefaultSigVerifier{}, l.chain)
		for _, size := range rapid.SliceOfN(rapid.IntRange(1, 4), 1, 3).Draw(rt, "sizes") {
			batch, err := sender.CreateTicketBatch(id, size)
			if err != nil {
				rt.Fatal(err)
			}
			for i, ticket := range batch.Tickets() {
				sig, recipientRand := batch.SenderParams[i].Sig, l.secretNumber(ticket, params.Seed)
				if err := validator.ValidateTicket(l.addr, ticket, sig, recipientRand); err != nil {
					rt.Fatal(err)
				}
				session, won, err := l.ReceiveTicket(ticket, sig, params.Seed)
				if err != nil || session != id {
					rt.Fatalf("session %s, error %v", session, err)
				}
				if want := validator.IsWinningTicket(ticket, sig, recipientRand); won != want {
					rt.Fatalf("won is %v, want %v", won, want)
				}
			}
		}
	})
}

// TestAnyChangeIsRefused: a ticket with one bit of one field changed, hashed or not, before or
// after it is signed, is refused.
func TestAnyChangeIsRefused(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, _, params := drawLottery(t, rt)
		flip := func(width int) (at int, mask byte) {
			bit := rapid.IntRange(0, 8*width-1).Draw(rt, "bit")
			return bit / 8, 1 << (bit % 8)
		}
		flipInt := func(v *big.Int) {
			bit := rapid.IntRange(0, 255).Draw(rt, "bit")
			v.SetBit(v, bit, 1-v.Bit(bit))
		}
		flipBytes := func(b []byte) {
			at, mask := flip(len(b))
			b[at] ^= mask
		}
		changes := map[string]func(*Ticket){
			"recipient":         func(t *Ticket) { flipBytes(t.Recipient[:]) },
			"sender":            func(t *Ticket) { flipBytes(t.Sender[:]) },
			"faceValue":         func(t *Ticket) { flipInt(t.FaceValue) },
			"winProb":           func(t *Ticket) { flipInt(t.WinProb) },
			"recipientRandHash": func(t *Ticket) { flipBytes(t.RecipientRandHash[:]) },
			"round":             func(t *Ticket) { t.CreationRound ^= 1 << rapid.IntRange(0, 63).Draw(rt, "bit") },
			"block hash":        func(t *Ticket) { flipBytes(t.CreationRoundBlockHash[:]) },
			"expiration block":  func(t *Ticket) { flipInt(t.ParamsExpirationBlock) },
			"price": func(t *Ticket) {
				t.PricePerPixel.Add(t.PricePerPixel, big.NewRat(1, rapid.Int64Min(1).Draw(rt, "part")))
			},
		}
		field := rapid.SampledFrom([]string{"recipient", "sender", "faceValue", "winProb", "recipientRandHash", "round", "block hash", "expiration block", "price", "nonce", "sig", "seed"}).Draw(rt, "field")
		seed := copyInt(params.Seed)
		ticket, sig := l.ticket(params, 1)
		switch change := changes[field]; {
		case field == "nonce": // a signed nonce may be any
			ticket.SenderNonce ^= 1 << rapid.IntRange(0, 31).Draw(rt, "bit")
		case field == "sig":
			flipBytes(sig)
		case field == "seed":
			flipInt(seed)
		case rapid.Bool().Draw(rt, "after it was signed"):
			change(ticket)
		default:
			ticket, sig = l.ticket(params, 1, change)
		}
		if _, won, err := l.ReceiveTicket(ticket, sig, seed); err == nil || won {
			rt.Fatalf("with another %s: won %v, error %v", field, won, err)
		}
		if err := l.RedeemWinningTicket(ticket, sig, seed); err == nil || errors.Is(err, ErrNotWinning) {
			rt.Fatalf("with another %s it would be redeemed: %v", field, err)
		}
		if err := l.receive(params, 1); err != nil {
			rt.Fatalf("a refused ticket took the nonce: %v", err)
		}
	})
}

// TestNoncesAreUniqueOverRestarts: 64 goroutines start sessions and make batches while senders
// are replaced by new ones on the same store; no nonce comes twice.
func TestNoncesAreUniqueOverRestarts(t *testing.T) {
	_, chain, signer := newTestSender(t)
	rapid.Check(t, func(rt *rapid.T) {
		store := &nonceTable{used: make(map[common.Hash]uint32)}
		sets := []*TicketParams{testParams(), testParams(), testParams()}
		// The third is another set of params with the second's hash.
		sets[2].RecipientRandHash = sets[1].RecipientRandHash
		sets[2].FaceValue.Add(sets[2].FaceValue, common.Big1)
		senders := make([]Sender, rapid.IntRange(2, 4).Draw(rt, "restarts"))
		for i := range senders {
			senders[i] = NewSenderWithStore(signer, chain, chain, Limits{NonceCap: 600}, store)
		}
		type step struct{ sender, set, size int }
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{rapid.IntRange(0, len(senders)-1).Draw(rt, "sender"), rapid.IntRange(0, 2).Draw(rt, "set"), rapid.IntRange(1, 4).Draw(rt, "size")}
		}), 64, 64).Draw(rt, "steps")
		type ticket struct {
			hash  common.Hash
			nonce uint32
		}
		var (
			mu   sync.Mutex
			seen = make(map[ticket]bool)
			want int
			wg   sync.WaitGroup
		)
		for _, s := range steps {
			want += s.size
			wg.Go(func() {
				sender := senders[s.sender]
				batch, err := sender.CreateTicketBatch(sender.StartSession(*sets[s.set]), s.size)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				for _, sp := range batch.SenderParams {
					seen[ticket{batch.RecipientRandHash, sp.SenderNonce}] = true
				}
			})
		}
		wg.Wait()
		if len(seen) != want {
			rt.Fatalf("%d tickets have %d different nonces", want, len(seen))
		}
	})
}
