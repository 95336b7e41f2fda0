package pm

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

func TestValidatorTellsWhatIsWrong(t *testing.T) {
	signer, recipientRand := newTestSigner(t), big.NewInt(77)
	params := testParams()
	params.RecipientRandHash = recipientRandHash(recipientRand)
	wide := new(big.Int).Lsh(common.Big1, 256)
	validator := NewValidator(&DefaultSigVerifier{}, nil)
	for _, c := range []struct {
		name      string
		change    func(ticket *Ticket, sig []byte)
		recipient common.Address
		rand      *big.Int
		want      error
	}{
		{"nothing", func(*Ticket, []byte) {}, params.Recipient, recipientRand, nil},
		{"recipient", func(*Ticket, []byte) {}, common.Address{1}, recipientRand, ErrTicketRecipient},
		{"zero sender", func(t *Ticket, _ []byte) { t.Sender = common.Address{} }, params.Recipient, recipientRand, ErrTicketSender},
		{"recipientRand", func(*Ticket, []byte) {}, params.Recipient, big.NewInt(78), ErrRecipientRand},
		{"no recipientRand", func(*Ticket, []byte) {}, params.Recipient, nil, ErrRecipientRand},
		{"signature", func(_ *Ticket, sig []byte) { sig[1]++ }, params.Recipient, recipientRand, ErrTicketSignature},
		{"another sender", func(t *Ticket, _ []byte) { t.Sender[0]++ }, params.Recipient, recipientRand, ErrTicketSignature},
		{"nonce", func(t *Ticket, _ []byte) { t.SenderNonce++ }, params.Recipient, recipientRand, ErrTicketSignature},
	} {
		ticket := NewTicket(params, nil, signer.Account().Address, 1)
		sig, err := signer.Sign(ticket.Hash().Bytes())
		if err != nil {
			t.Fatal(err)
		}
		c.change(ticket, sig)
		if err := validator.ValidateTicket(c.recipient, ticket, sig, c.rand); !errors.Is(err, c.want) {
			t.Errorf("%s: error is %v, want %v", c.name, err, c.want)
		}
	}
	ticket := NewTicket(params, nil, signer.Account().Address, 1)
	if err := validator.ValidateTicket(params.Recipient, ticket, nil, wide); !isFieldError("recipientRand")(err) {
		t.Errorf("a wide recipientRand: %v", err)
	}
	ticket.WinProb = maxWinProb()
	if validator.IsWinningTicket(ticket, nil, wide) || validator.IsWinningTicket(nil, nil, recipientRand) {
		t.Error("a nil ticket wins")
	}
	ticket.FaceValue = wide
	if err := validator.ValidateTicket(params.Recipient, ticket, nil, recipientRand); !isFieldError("faceValue")(err) {
		t.Errorf("a wide faceValue: %v", err)
	}
	if validator.IsWinningTicket(ticket, nil, recipientRand) {
		t.Error("a ticket that cannot be signed wins")
	}
}

// TestShareOfWinners: over many tickets the share of winners is within four standard deviations
// of winProb.
func TestShareOfWinners(t *testing.T) {
	const tickets = 200_000
	random := rand.NewChaCha8([32]byte{7})
	validator := NewValidator(&DefaultSigVerifier{}, nil)
	sig := make([]byte, 65)
	for _, odds := range []int64{2, 3, 10, 100, 5000} {
		ticket := &Ticket{WinProb: new(big.Int).Quo(maxWinProb(), big.NewInt(odds))}
		winners := 0
		for range tickets {
			if _, err := random.Read(sig); err != nil {
				t.Fatal(err)
			}
			if validator.IsWinningTicket(ticket, sig, big.NewInt(1)) {
				winners++
			}
		}
		p := 1 / float64(odds)
		deviation := math.Sqrt(tickets * p * (1 - p))
		if got, want := float64(winners), tickets*p; math.Abs(got-want) > 4*deviation {
			t.Errorf("1 in %d: %v winners, want %v ± %.1f", odds, got, want, 4*deviation)
		}
	}
}
