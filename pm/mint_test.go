package pm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/accounts"
)

// mint collects the output of Mint.
func mint(ctx context.Context, signer Signer, params *TicketParams, nonces NonceRange) ([]TicketSenderParams, error) {
	var out []TicketSenderParams
	err := Mint(ctx, signer, params, nil, nonces, func(sp TicketSenderParams) error {
		sp.Sig = append([]byte(nil), sp.Sig...)
		out = append(out, sp)
		return nil
	})
	return out, err
}

func TestMintSignsEachNonceOnceInOrder(t *testing.T) {
	signer, params := newTestSigner(t), testParams()
	tickets, err := mint(context.Background(), signer, params, NonceRange{250, 20}) // past a byte's end
	if err != nil {
		t.Fatal(err)
	}
	if len(tickets) != 20 {
		t.Fatalf("%d tickets, want 20", len(tickets))
	}
	for i, sp := range tickets {
		ticket := NewTicket(params, nil, signer.Account().Address, uint32(250+i))
		if sp.SenderNonce != ticket.SenderNonce {
			t.Errorf("ticket %d has nonce %d, want %d", i, sp.SenderNonce, ticket.SenderNonce)
		}
		if !(&DefaultSigVerifier{}).Verify(ticket.Sender, ticket.Hash().Bytes(), sp.Sig) {
			t.Errorf("the signature of nonce %d does not verify", sp.SenderNonce)
		}
	}
}

func TestMintRefusesBeforeItSigns(t *testing.T) {
	wide := new(big.Int).Lsh(big.NewInt(1), 256)
	for _, c := range []struct {
		name   string
		change func(*TicketParams)
		nonces NonceRange
		is     func(error) bool
	}{
		{"wide faceValue", func(p *TicketParams) { p.FaceValue = wide }, NonceRange{1, 1}, isFieldError("faceValue")},
		{"wide winProb", func(p *TicketParams) { p.WinProb = wide }, NonceRange{1, 1}, isFieldError("winProb")},
		{"wide seed", func(p *TicketParams) { p.Seed = wide }, NonceRange{1, 1}, isFieldError("seed")},
		{"wide expirationBlock", func(p *TicketParams) { p.ExpirationBlock = wide }, NonceRange{1, 1}, isFieldError("expirationBlock")},
		{"negative faceValue", func(p *TicketParams) { p.FaceValue.SetInt64(-1) }, NonceRange{1, 1}, isFieldError("faceValue")},
		{"negative round", func(p *TicketParams) { p.ExpirationParams.CreationRound = -1 }, NonceRange{1, 1}, isFieldError("creationRound")},
		{"beyond 2^32-1", func(*TicketParams) {}, NonceRange{math.MaxUint32, 2}, func(err error) bool {
			var e *NonceCapError
			return errors.As(err, &e) && e.Used == math.MaxUint32-1 && e.Asked == 2 && e.Cap == math.MaxUint32
		}},
		{"nonce 0", func(*TicketParams) {}, NonceRange{0, 1}, func(err error) bool { return err != nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			params := testParams()
			c.change(params)
			signer := &countingSigner{Signer: newTestSigner(t)}
			tickets, err := mint(context.Background(), signer, params, c.nonces)
			if !c.is(err) || len(tickets) != 0 || signer.signed != 0 {
				t.Errorf("%d tickets, %d signatures, error %v", len(tickets), signer.signed, err)
			}
		})
	}
	if _, err := mint(context.Background(), newTestSigner(t), nil, NonceRange{1, 1}); err == nil {
		t.Error("no params are minted from")
	}
	err := Mint(context.Background(), newTestSigner(t), testParams(), &TicketExpirationParams{CreationRound: -1}, NonceRange{1, 1}, nil)
	if !isFieldError("creationRound")(err) {
		t.Errorf("a negative round of the expiration params: %v", err)
	}
}

func isFieldError(field string) func(error) bool {
	return func(err error) bool {
		var e *FieldError
		return errors.As(err, &e) && e.Field == field
	}
}

func TestMintOfNothing(t *testing.T) {
	if tickets, err := mint(context.Background(), newTestSigner(t), testParams(), NonceRange{}); err != nil || len(tickets) != 0 {
		t.Errorf("%d tickets, error %v", len(tickets), err)
	}
}

func TestMintStops(t *testing.T) {
	for _, count := range []uint32{firstTickets, 600} { // on one goroutine, and on several
		t.Run(fmt.Sprint(count), func(t *testing.T) { mintStops(t, count) })
	}
}

func mintStops(t *testing.T, count uint32) {
	t.Run("when ctx ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		emitted := 0
		err := Mint(ctx, newTestSigner(t), testParams(), nil, NonceRange{1, count}, func(TicketSenderParams) error {
			if emitted++; emitted == 3 {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || emitted != 3 {
			t.Errorf("%d tickets, error %v", emitted, err)
		}
	})
	t.Run("at emit's error", func(t *testing.T) {
		full := errors.New("disk full")
		emitted := 0
		err := Mint(context.Background(), newTestSigner(t), testParams(), nil, NonceRange{1, count}, func(TicketSenderParams) error {
			emitted++
			return full
		})
		if err != full || emitted != 1 {
			t.Errorf("%d tickets, error %v", emitted, err)
		}
	})
	t.Run("at the signer's error", func(t *testing.T) {
		signer := &countingSigner{Signer: newTestSigner(t), failAt: 2}
		tickets, err := mint(context.Background(), signer, testParams(), NonceRange{1, count})
		if !errors.Is(err, errLocked) || len(tickets) != 1 {
			t.Errorf("%d tickets, error %v", len(tickets), err)
		}
	})
	t.Run("at a signature that recipients refuse", func(t *testing.T) {
		for name, spoil := range map[string]func([]byte) []byte{
			"V 0 or 1": func(sig []byte) []byte { sig[64] -= 27; return sig },
			"64 bytes": func(sig []byte) []byte { return sig[:64] },
			"none":     func([]byte) []byte { return nil },
		} {
			signer := &countingSigner{Signer: newTestSigner(t), spoil: spoil}
			if tickets, err := mint(context.Background(), signer, testParams(), NonceRange{1, 5}); err == nil || len(tickets) != 0 {
				t.Errorf("%s: %d tickets, error %v", name, len(tickets), err)
			}
		}
	})
}

var errLocked = errors.New("the key is closed")

// countingSigner counts what it signs and can fail.
type countingSigner struct {
	Signer
	signed int
	failAt int
	spoil  func([]byte) []byte
}

func (s *countingSigner) Sign(msg []byte) ([]byte, error) {
	if s.signed++; s.signed == s.failAt {
		return nil, errLocked
	}
	sig, err := s.Signer.Sign(msg)
	if s.spoil != nil {
		sig = s.spoil(sig)
	}
	return sig, err
}

func (s *countingSigner) Account() accounts.Account { return s.Signer.Account() }

func TestNextNonces(t *testing.T) {
	hash := RandHash()
	for _, c := range []struct {
		used, count, limit uint32
		want               NonceRange
		cap                uint32 // of the error; 0 for none
	}{
		{0, 1, 600, NonceRange{1, 1}, 0},
		{0, 600, 600, NonceRange{1, 600}, 0},
		{0, 601, 600, NonceRange{}, 600},
		{598, 2, 600, NonceRange{599, 2}, 0},
		{598, 3, 600, NonceRange{}, 600},
		{600, 1, 600, NonceRange{}, 600},
		{700, 1, 600, NonceRange{}, 600},
		{5, 0, 600, NonceRange{}, 0},
		{math.MaxUint32 - 1, 1, 0, NonceRange{math.MaxUint32, 1}, 0},
		{math.MaxUint32, 1, 0, NonceRange{}, math.MaxUint32},
		{math.MaxUint32, math.MaxUint32, 0, NonceRange{}, math.MaxUint32},
	} {
		got, err := NextNonces(hash, c.used, c.count, c.limit)
		var capErr *NonceCapError
		if got != c.want || (c.cap != 0) != errors.As(err, &capErr) {
			t.Errorf("%+v: got %v, %v", c, got, err)
		} else if capErr != nil && (*capErr != NonceCapError{hash, c.used, uint64(c.count), c.cap}) {
			t.Errorf("%+v: error is %+v", c, *capErr)
		}
	}
}
