package pm

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/internal/num"
)

// Validator checks a ticket on its own. It keeps no state, so it cannot detect a replay or an
// expired ticket; a Recipient does.
type Validator interface {
	// ValidateTicket returns nil for a ticket that pays recipient, names a sender, commits to
	// recipientRand and is signed by its sender. It fails with *FieldError, ErrTicketRecipient,
	// ErrTicketSender, ErrRecipientRand or ErrTicketSignature.
	ValidateTicket(recipient common.Address, ticket *Ticket, sig []byte, recipientRand *big.Int) error

	// IsWinningTicket reports whether uint256(keccak256(sig ‖ recipientRand)) is below the
	// ticket's winProb, recipientRand as 32 bytes. It does not check that the ticket is valid.
	IsWinningTicket(ticket *Ticket, sig []byte, recipientRand *big.Int) bool
}

// validator implements Validator.
type validator struct{ sigVerifier SigVerifier }

// NewValidator returns a Validator that checks signatures with sigVerifier. No rule about a
// single ticket depends on time, so tm is not used and may be nil.
func NewValidator(sigVerifier SigVerifier, tm TimeManager) Validator {
	return &validator{sigVerifier}
}

func (v *validator) ValidateTicket(recipient common.Address, ticket *Ticket, sig []byte, recipientRand *big.Int) error {
	if err := ticket.CheckFields(); err != nil {
		return err
	}
	if ticket.Recipient != recipient {
		return fmt.Errorf("%w: it pays %v, not %v", ErrTicketRecipient, ticket.Recipient, recipient)
	}
	if ticket.Sender == (common.Address{}) {
		return fmt.Errorf("%w: the zero address", ErrTicketSender)
	}
	if err := checkUint("recipientRand", recipientRand); err != nil {
		return err
	}
	if recipientRandHash(recipientRand) != ticket.RecipientRandHash {
		return ErrRecipientRand
	}
	if !v.sigVerifier.Verify(ticket.Sender, ticket.Hash().Bytes(), sig) {
		return fmt.Errorf("%w: not by %v", ErrTicketSignature, ticket.Sender)
	}
	return nil
}

func (v *validator) IsWinningTicket(ticket *Ticket, sig []byte, recipientRand *big.Int) bool {
	if ticket.CheckFields() != nil || checkUint("recipientRand", recipientRand) != nil {
		return false
	}
	draw := crypto.Keccak256(appendUint(append([]byte(nil), sig...), recipientRand))
	return new(big.Int).SetBytes(draw).Cmp(num.OrZero(ticket.WinProb)) < 0
}

// recipientRandHash returns the commitment to a recipient's secret number: keccak256
// of its 32 bytes. The number has been checked to fit.
func recipientRandHash(recipientRand *big.Int) common.Hash {
	return crypto.Keccak256Hash(appendUint(nil, recipientRand))
}
