package pm

import (
	"errors"
	"math/big"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

// TestChangedFieldsAreRefused: the sender signs a ticket that differs from the params in one
// field.
func TestChangedFieldsAreRefused(t *testing.T) {
	l := newLottery(t, testConfig)
	one, wide := big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 256)
	for _, c := range []struct {
		name   string
		change func(*Ticket)
		want   error // nil for a *FieldError
	}{
		{"recipient", func(t *Ticket) { t.Recipient[3]++ }, ErrTicketRecipient},
		{"sender", func(t *Ticket) { t.Sender[3]++ }, ErrRecipientRand},
		{"zero sender", func(t *Ticket) { t.Sender = common.Address{} }, ErrTicketSender},
		{"faceValue", func(t *Ticket) { t.FaceValue.Add(t.FaceValue, one) }, ErrRecipientRand},
		{"winProb", func(t *Ticket) { t.WinProb.Add(t.WinProb, one) }, ErrRecipientRand},
		{"expiration block", func(t *Ticket) { t.ParamsExpirationBlock.Add(t.ParamsExpirationBlock, one) }, ErrRecipientRand},
		{"no expiration block", func(t *Ticket) { t.ParamsExpirationBlock = nil }, ErrRecipientRand},
		{"price", func(t *Ticket) { t.PricePerPixel.SetFrac64(1199, 7) }, ErrRecipientRand},
		{"no price", func(t *Ticket) { t.PricePerPixel = nil }, ErrRecipientRand},
		{"round", func(t *Ticket) { t.CreationRound++ }, ErrRecipientRand},
		{"round's hash", func(t *Ticket) { t.CreationRoundBlockHash[9]++ }, ErrRecipientRand},
		{"recipientRandHash", func(t *Ticket) { t.RecipientRandHash[9]++ }, ErrRecipientRand},
		{"wide faceValue", func(t *Ticket) { t.FaceValue = wide }, nil},
		{"wide winProb", func(t *Ticket) { t.WinProb = wide }, nil},
		{"wide price", func(t *Ticket) { t.PricePerPixel.SetInt(wide) }, nil},
		{"fine price", func(t *Ticket) { t.PricePerPixel.SetFrac(one, wide) }, nil},
		{"negative faceValue", func(t *Ticket) { t.FaceValue.Neg(t.FaceValue) }, nil},
		{"negative round", func(t *Ticket) { t.CreationRound = -t.CreationRound }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			params := l.params()
			ticket, sig := l.ticket(params, 1, c.change)
			_, won, err := l.ReceiveTicket(ticket, sig, params.Seed)
			var field *FieldError
			if !isFatal(err) || won || c.want != nil && !errors.Is(err, c.want) || c.want == nil && !errors.As(err, &field) {
				t.Errorf("won %v, error %v, want a fatal %v", won, err, c.want)
			}
		})
	}
	params := l.params()
	ticket, sig := l.ticket(params, 1)
	for name, seed := range map[string]*big.Int{"another seed": big.NewInt(1), "no seed": nil, "a wide seed": wide, "a negative seed": big.NewInt(-1)} {
		if _, _, err := l.ReceiveTicket(ticket, sig, seed); !isFatal(err) {
			t.Errorf("%s: error is %v, want a fatal one", name, err)
		}
	}
	if _, _, err := l.ReceiveTicket(nil, sig, params.Seed); !isFatal(err) {
		t.Errorf("no ticket: error is %v, want a fatal one", err)
	}
	if err := l.receive(params, 1); err != nil {
		t.Errorf("a refused ticket took the nonce: %v", err)
	}
}

// TestEqualPricesAreOne: only the quotient of a price matters.
func TestEqualPricesAreOne(t *testing.T) {
	l := newLottery(t, testConfig)
	params := l.params()
	params.PricePerPixel = new(big.Rat).SetFrac(big.NewInt(2400), big.NewInt(14))
	if err := l.receive(params, 1); err != nil {
		t.Error(err)
	}
}

func TestRefusalsThatDoNotEndAPayment(t *testing.T) {
	l := newLottery(t, testConfig)
	params := l.params()
	acceptable := func(name string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) || isFatal(err) {
			t.Errorf("%s: error is %v, want %v, not fatal", name, err, want)
		}
	}
	ticket, sig := l.ticket(params, 1)
	_, _, err := l.ReceiveTicket(ticket, append([]byte{sig[0] ^ 1}, sig[1:]...), params.Seed)
	acceptable("flipped bit", err, ErrTicketSignature)
	_, _, err = l.ReceiveTicket(ticket, nil, params.Seed)
	acceptable("no signature", err, ErrTicketSignature)
	if err := l.receive(params, 1); err != nil {
		t.Fatalf("a refused signature took the nonce: %v", err)
	}
	acceptable("again", l.receive(params, 1), ErrNonceReplayed)
	if err := l.receive(params, 0); err != nil {
		t.Errorf("nonces in any order: %v", err)
	}
	l.chain.set(func() { l.chain.block = big.NewInt(1039) })
	if err := l.receive(params, 2); err != nil {
		t.Errorf("in the last block: %v", err)
	}
	l.chain.set(func() { l.chain.block = big.NewInt(1040) })
	err = l.receive(params, 3)
	acceptable("at the expiration block", err, ErrTicketParamsExpired)
	if err.Error() != "TicketParams expired" {
		t.Errorf("message is %q", err)
	}
}

// TestExpiredWinnerCanBeRedeemed: it is not credited, yet the recipient may redeem it.
func TestExpiredWinnerCanBeRedeemed(t *testing.T) {
	l := newLottery(t, alwaysWins)
	params := l.params()
	ticket, sig := l.ticket(params, 1)
	l.chain.set(func() { l.chain.block = big.NewInt(1040) })
	_, won, err := l.ReceiveTicket(ticket, sig, params.Seed)
	if !won || !errors.Is(err, ErrTicketParamsExpired) {
		t.Fatalf("won %v, error %v", won, err)
	}
	if err := l.RedeemWinningTicket(ticket, sig, params.Seed); err != nil {
		t.Error(err)
	}
	l.chain.set(func() { l.chain.block = big.NewInt(1000) })
	if err := l.receive(params, 1); err != nil {
		t.Error(err)
	}
	if _, won, err := l.ReceiveTicket(ticket, sig, params.Seed); won || !errors.Is(err, ErrNonceReplayed) {
		t.Errorf("a replayed winner: won %v, error %v", won, err)
	}
}

func TestUnlockingSenderIsRefused(t *testing.T) {
	l := newLottery(t, testConfig)
	params := l.params()
	for round, want := range map[int64]error{0: nil, 12: nil, 11: ErrSenderUnlocking, 10: ErrSenderUnlocking, 1: ErrSenderUnlocking} {
		l.chain.set(func() { l.chain.senders[l.sender].WithdrawRound = big.NewInt(round) })
		if err := l.receive(params, uint32(round)); !errors.Is(err, want) || isFatal(err) != (want != nil) {
			t.Errorf("withdraw round %d: error is %v, want %v", round, err, want)
		}
	}
	l.chain.set(func() { l.chain.infoErr = errOffline })
	if err := l.receive(params, 99); !isFatal(err) || !errors.Is(err, errOffline) {
		t.Errorf("error is %v, want %v", err, errOffline)
	}
}

func TestNonceSixHundredAndOneIsRefused(t *testing.T) {
	l := newLottery(t, testConfig)
	params, other := l.params(), l.params()
	for nonce := uint32(1); nonce <= 600; nonce++ {
		// Nonces may come in any order and with gaps.
		if err := l.receive(params, nonce*7919); err != nil {
			t.Fatalf("nonce %d: %v", nonce*7919, err)
		}
	}
	if err := l.receive(params, 1); !errors.Is(err, ErrTooManyNonces) || isFatal(err) {
		t.Errorf("error is %v, want ErrTooManyNonces", err)
	}
	if err := l.receive(params, 7919); !errors.Is(err, ErrNonceReplayed) {
		t.Errorf("error is %v, want ErrNonceReplayed", err)
	}
	if err := l.receive(other, 1); err != nil {
		t.Errorf("other params: %v", err)
	}
}

func TestOneNonceFromManyGoroutines(t *testing.T) {
	l := newLottery(t, testConfig)
	params := l.params()
	ticket, sig := l.ticket(params, 1)
	var (
		mu       sync.Mutex
		accepted int
		wg       sync.WaitGroup
	)
	for range 64 {
		wg.Go(func() {
			_, _, err := l.ReceiveTicket(ticket, sig, params.Seed)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				accepted++
			} else if !errors.Is(err, ErrNonceReplayed) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if accepted != 1 {
		t.Errorf("accepted %d times", accepted)
	}
}

// TestReplayMemoryShrinks: calls and new blocks are enough.
func TestReplayMemoryShrinks(t *testing.T) {
	l := newLottery(t, testConfig)
	remembered := func() int {
		g := l.Recipient.(*recipient).replays
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.seen)
	}
	first := l.params()
	for range 50 {
		if err := l.receive(l.params(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.receive(first, 1); err != nil {
		t.Fatal(err)
	}
	l.chain.set(func() { l.chain.block = big.NewInt(1039) })
	if err := l.receive(l.params(), 1); err != nil {
		t.Fatal(err)
	}
	if n := remembered(); n != 52 {
		t.Errorf("%d sets of params are remembered, want 52", n)
	}
	l.chain.set(func() { l.chain.block = big.NewInt(1040) })
	l.params()
	if n := remembered(); n != 1 {
		t.Errorf("after a call at the expiration block %d sets of params are remembered, want 1", n)
	}
	// The chain goes back: forgotten nonces are not accepted again.
	l.chain.set(func() { l.chain.block = big.NewInt(1038) })
	if err := l.receive(first, 1); !errors.Is(err, ErrTicketParamsExpired) {
		t.Errorf("error is %v, want ErrTicketParamsExpired", err)
	}
	l.chain.set(func() { l.chain.block = big.NewInt(1079) })
	if err := l.receive(first, 2); !errors.Is(err, ErrTicketParamsExpired) {
		t.Errorf("error is %v, want ErrTicketParamsExpired", err)
	}
	if n := remembered(); n != 0 {
		t.Errorf("%d sets of params are remembered, want none", n)
	}
	l.chain.set(func() { l.chain.block = nil })
	if err := l.receive(first, 3); err == nil {
		t.Error("a ticket is accepted without a known block")
	}
	if _, err := l.TicketParams(l.sender, big.NewRat(1, 1)); err == nil {
		t.Error("params are made without a known block")
	}
}
