package pm

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/internal/num"
)

// Ticket is one lottery ticket: a promise that pays FaceValue if it wins and nothing otherwise,
// so that its expected value is the payment. A nil number counts as 0.
type Ticket struct {
	// Recipient is paid if the ticket wins.
	Recipient common.Address

	// Sender is the account whose deposit and reserve pay.
	Sender common.Address

	// FaceValue is what a winning ticket pays, in wei; at most 256 bits.
	FaceValue *big.Int

	// WinProb is the numerator of the probability to win, over 2^256-1.
	WinProb *big.Int

	// SenderNonce distinguishes tickets with one RecipientRandHash. A session's first ticket
	// has 1, and a nonce is never used twice.
	SenderNonce uint32

	// RecipientRandHash is keccak256 of the recipient's secret number, as 32
	// bytes; the number itself is revealed only to redeem a winner.
	RecipientRandHash common.Hash

	// CreationRound is the protocol round of the ticket, which can be redeemed for a limited
	// number of rounds.
	CreationRound int64

	// CreationRoundBlockHash is the L1 block hash that the RoundsManager recorded
	// for CreationRound.
	CreationRoundBlockHash common.Hash

	// ParamsExpirationBlock is the L1 block from which the recipient refuses the ticket. It is
	// sent with the ticket and not hashed.
	ParamsExpirationBlock *big.Int

	// PricePerPixel is the params' price, in wei per pixel. It is sent with the ticket and not
	// hashed.
	PricePerPixel *big.Rat
}

// SignedTicket is a ticket with everything that its redemption needs.
type SignedTicket struct {
	*Ticket
	// Sig is the sender's 65-byte signature R‖S‖V over the ticket's hash.
	Sig []byte
	// RecipientRand is the preimage of the ticket's RecipientRandHash.
	RecipientRand *big.Int
}

// clone returns a copy that shares no memory with t; nil of nil.
func (t *SignedTicket) clone() *SignedTicket {
	if t == nil {
		return nil
	}
	return &SignedTicket{Ticket: t.Ticket.clone(), Sig: bytes.Clone(t.Sig), RecipientRand: copyInt(t.RecipientRand)}
}

// NewTicket returns the ticket with the given nonce. It shares no memory with params. A nil
// expirationParams means the params' own, and nil params count as empty ones. Numbers that do not fit
// their fields are kept as they are; CheckFields finds them.
func NewTicket(params *TicketParams, expirationParams *TicketExpirationParams, sender common.Address, senderNonce uint32) *Ticket {
	if params == nil {
		params = new(TicketParams)
	}
	if expirationParams == nil {
		expirationParams = params.ExpirationParams
	}
	ticket := &Ticket{
		Recipient:             params.Recipient,
		Sender:                sender,
		FaceValue:             copyInt(params.FaceValue),
		WinProb:               copyInt(params.WinProb),
		SenderNonce:           senderNonce,
		RecipientRandHash:     params.RecipientRandHash,
		ParamsExpirationBlock: copyInt(params.ExpirationBlock),
		PricePerPixel:         copyRat(params.PricePerPixel),
	}
	if expirationParams != nil {
		ticket.CreationRound = expirationParams.CreationRound
		ticket.CreationRoundBlockHash = expirationParams.CreationRoundBlockHash
	}
	return ticket
}

// CheckFields fails with *FieldError if a number does not fit its field, and with another error for
// a nil ticket.
// Code that signs or accepts a ticket calls it first.
func (t *Ticket) CheckFields() error {
	if t == nil {
		return errors.New("no ticket")
	}
	return cmp.Or(
		checkUint("faceValue", t.FaceValue),
		checkUint("winProb", t.WinProb),
		checkUint("expirationBlock", t.ParamsExpirationBlock),
		t.expirationParams().checkFields(),
	)
}

// Hash returns the signed hash, which the contract's getTicketHash returns too: keccak256 of
// recipient (20 bytes), sender (20), faceValue, winProb, senderNonce, recipientRandHash (32
// each) and auxData, tightly packed. For a ticket that CheckFields refuses it returns the zero
// hash, which no ticket has.
func (t *Ticket) Hash() common.Hash {
	if t.CheckFields() != nil {
		return common.Hash{}
	}
	return crypto.Keccak256Hash(t.flatten())
}

// Layout of a ticket's hashed bytes.
const (
	// nonceOffset is the offset of the four bytes of the senderNonce: the low end of the
	// uint256 after two addresses and two uint256.
	nonceOffset = 2*common.AddressLength + 3*uintBytes - nonceBytes
	nonceBytes  = 4
	// flatBytes is the length with auxData; without it, it is two words less.
	flatBytes = 2*common.AddressLength + 4*uintBytes + auxDataBytes
)

// flatten returns the bytes that are hashed. The ticket's fields have been checked.
func (t *Ticket) flatten() []byte {
	buf := make([]byte, 0, flatBytes)
	buf = append(buf, t.Recipient[:]...)
	buf = append(buf, t.Sender[:]...)
	buf = appendUint(buf, t.FaceValue)
	buf = appendUint(buf, t.WinProb)
	buf = append(buf, make([]byte, uintBytes-nonceBytes)...)
	buf = binary.BigEndian.AppendUint32(buf, t.SenderNonce)
	buf = append(buf, t.RecipientRandHash[:]...)
	return append(buf, t.AuxData()...)
}

// AuxData returns CreationRound as a uint256, then CreationRoundBlockHash: 64 bytes, or none if
// both are zero. The contract redeems only tickets with 64 bytes.
func (t *Ticket) AuxData() []byte { return t.expirationParams().AuxData() }

// EV returns the expected value, faceValue · winProb / (2^256-1), exactly, in wei.
func (t *Ticket) EV() *big.Rat { return ticketEV(t.FaceValue, t.WinProb) }

// WinProbRat returns the probability to win, exactly: winProb / (2^256-1).
func (t *Ticket) WinProbRat() *big.Rat { return winProbRat(t.WinProb) }

func (t *Ticket) expirationParams() *TicketExpirationParams {
	return &TicketExpirationParams{t.CreationRound, t.CreationRoundBlockHash}
}

// clone returns a copy that shares no memory with t.
func (t *Ticket) clone() *Ticket {
	c := *t
	c.FaceValue = copyInt(t.FaceValue)
	c.WinProb = copyInt(t.WinProb)
	c.ParamsExpirationBlock = copyInt(t.ParamsExpirationBlock)
	c.PricePerPixel = copyRat(t.PricePerPixel)
	return &c
}

func winProbRat(winProb *big.Int) *big.Rat {
	return new(big.Rat).SetFrac(num.OrZero(winProb), maxWinProb())
}

func ticketEV(faceValue, winProb *big.Int) *big.Rat {
	product := new(big.Int).Mul(num.OrZero(faceValue), num.OrZero(winProb))
	return new(big.Rat).SetFrac(product, maxWinProb())
}
