package pm

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
)

// FatalReceiveErr is returned by a Recipient for a ticket after which no further ticket of the
// payment can be valid. It wraps the reason.
type FatalReceiveErr struct{ err error }

// NewFatalReceiveErr wraps an error that ends a payment.
func NewFatalReceiveErr(err error) *FatalReceiveErr { return &FatalReceiveErr{err} }

func (e FatalReceiveErr) Error() string {
	if e.err == nil {
		return "the payment is over"
	}
	return e.err.Error()
}

// Unwrap returns the reason.
func (e FatalReceiveErr) Unwrap() error { return e.err }

func (r *recipient) ReceiveTicket(ticket *Ticket, sig []byte, seed *big.Int) (string, bool, error) {
	recipientRand, err := r.validate(ticket, sig, seed)
	if err != nil {
		return "", false, err
	}
	if err := r.sm.ValidateSender(ticket.Sender); err != nil {
		return "", false, NewFatalReceiveErr(err)
	}
	sessionID := ticket.RecipientRandHash.Hex()
	won := r.val.IsWinningTicket(ticket, sig, recipientRand)
	err = r.replays.take(ticket, r.tm.LastSeenL1Block())
	if err != nil && !errors.Is(err, ErrTicketParamsExpired) {
		return "", false, err
	}
	return sessionID, won, err
}

func (r *recipient) RedeemWinningTicket(ticket *Ticket, sig []byte, seed *big.Int) error {
	recipientRand, err := r.validate(ticket, sig, seed)
	if err != nil {
		return err
	}
	if !r.val.IsWinningTicket(ticket, sig, recipientRand) {
		return ErrNotWinning
	}
	queued := SignedTicket{Ticket: ticket, Sig: sig, RecipientRand: recipientRand}
	return r.sm.QueueTicket(queued.clone())
}

// validate returns the ticket's recipientRand, or why the ticket is not valid.
func (r *recipient) validate(ticket *Ticket, sig []byte, seed *big.Int) (*big.Int, error) {
	recipientRand, err := r.rand(seed, ticket)
	if err != nil {
		return nil, NewFatalReceiveErr(err)
	}
	err = r.val.ValidateTicket(r.addr, ticket, sig, recipientRand)
	switch {
	case errors.Is(err, ErrTicketSignature):
		return nil, err
	case err != nil:
		return nil, NewFatalReceiveErr(err)
	}
	return recipientRand, nil
}

// rand returns the secret number of a ticket's recipientRandHash: HMAC-SHA256 over all
// advertised params, so that a ticket with any field changed has another. Every field has a
// fixed width, so that no two tickets share a message.
func (r *recipient) rand(seed *big.Int, ticket *Ticket) (*big.Int, error) {
	if err := ticket.CheckFields(); err != nil {
		return nil, err
	}
	price := num.OrZero(ticket.PricePerPixel)
	err := cmp.Or(checkUint("seed", seed), checkUint("pricePerPixel", price.Num()), checkUint("pricePerPixel", price.Denom()))
	if err != nil {
		return nil, err
	}
	msg := make([]byte, 0, 2*common.AddressLength+8*uintBytes)
	msg = append(msg, ticket.Recipient[:]...)
	msg = append(msg, ticket.Sender[:]...)
	for _, v := range []*big.Int{seed, ticket.FaceValue, ticket.WinProb, ticket.ParamsExpirationBlock, price.Num(), price.Denom(), big.NewInt(ticket.CreationRound)} {
		msg = appendUint(msg, v)
	}
	msg = append(msg, ticket.CreationRoundBlockHash[:]...)
	mac := hmac.New(sha256.New, r.secret[:])
	mac.Write(msg)
	return new(big.Int).SetBytes(mac.Sum(nil)), nil
}
