package pm

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
)

// TicketParams are a recipient's requirements for a sender's tickets. A nil number counts as 0.
type TicketParams struct {
	// Recipient is paid if a ticket wins.
	Recipient common.Address
	// FaceValue is what a winning ticket pays, in wei; at most 256 bits.
	FaceValue *big.Int
	// WinProb is the numerator of the probability to win, over 2^256-1.
	WinProb *big.Int
	// RecipientRandHash commits the recipient to its secret number.
	RecipientRandHash common.Hash
	// Seed lets the recipient derive its secret number again; at most 256 bits.
	Seed *big.Int
	// ExpirationBlock is the L1 block from which the recipient refuses tickets.
	ExpirationBlock *big.Int
	// PricePerPixel is the price of the params, in wei per pixel.
	PricePerPixel *big.Rat
	// ExpirationParams is the round that the tickets belong to.
	ExpirationParams *TicketExpirationParams
}

// CheckFields fails with *FieldError if a number does not fit its field, and with another error for
// nil params.
func (p *TicketParams) CheckFields() error {
	if p == nil {
		return errors.New("no ticket params")
	}
	return cmp.Or(
		checkUint("faceValue", p.FaceValue),
		checkUint("winProb", p.WinProb),
		checkUint("seed", p.Seed),
		checkUint("expirationBlock", p.ExpirationBlock),
		p.ExpirationParams.checkFields(),
	)
}

// EV returns the expected value of one ticket, faceValue · winProb / (2^256-1),
// exactly, in wei.
func (p *TicketParams) EV() *big.Rat { return ticketEV(p.FaceValue, p.WinProb) }

// WinProbRat returns the probability to win, exactly: winProb / (2^256-1).
func (p *TicketParams) WinProbRat() *big.Rat { return winProbRat(p.WinProb) }

// expirationParams returns the params' own round; nil for none.
func (p *TicketParams) expirationParams() *TicketExpirationParams {
	if p == nil {
		return nil
	}
	return p.ExpirationParams
}

// clone returns a copy that shares no memory with p.
func (p *TicketParams) clone() *TicketParams {
	c := *p
	c.FaceValue = copyInt(p.FaceValue)
	c.WinProb = copyInt(p.WinProb)
	c.Seed = copyInt(p.Seed)
	c.ExpirationBlock = copyInt(p.ExpirationBlock)
	c.PricePerPixel = copyRat(p.PricePerPixel)
	if p.ExpirationParams != nil {
		expiration := *p.ExpirationParams
		c.ExpirationParams = &expiration
	}
	return &c
}

// equal reports whether p and q are the same params.
func (p *TicketParams) equal(q *TicketParams) bool {
	expiration := func(e *TicketExpirationParams) TicketExpirationParams {
		if e == nil {
			return TicketExpirationParams{}
		}
		return *e
	}
	return p.Recipient == q.Recipient &&
		num.OrZero(p.FaceValue).Cmp(num.OrZero(q.FaceValue)) == 0 &&
		num.OrZero(p.WinProb).Cmp(num.OrZero(q.WinProb)) == 0 &&
		p.RecipientRandHash == q.RecipientRandHash &&
		num.OrZero(p.Seed).Cmp(num.OrZero(q.Seed)) == 0 &&
		num.OrZero(p.ExpirationBlock).Cmp(num.OrZero(q.ExpirationBlock)) == 0 &&
		num.OrZero(p.PricePerPixel).Cmp(num.OrZero(q.PricePerPixel)) == 0 &&
		expiration(p.ExpirationParams) == expiration(q.ExpirationParams)
}

// TicketExpirationParams is the protocol round of a ticket.
type TicketExpirationParams struct {
	// CreationRound is the round's number; never negative.
	CreationRound int64
	// CreationRoundBlockHash is the L1 block hash recorded for CreationRound.
	CreationRoundBlockHash common.Hash
}

const auxDataBytes = 2 * uintBytes

// AuxData returns CreationRound as a uint256, then CreationRoundBlockHash: 64 bytes, or none if
// both are zero. The TicketBroker decodes a ticket's auxData as these.
func (e *TicketExpirationParams) AuxData() []byte {
	if e == nil || *e == (TicketExpirationParams{}) {
		return []byte{}
	}
	buf := make([]byte, uintBytes, auxDataBytes)
	binary.BigEndian.PutUint64(buf[uintBytes-8:], uint64(e.CreationRound))
	return append(buf, e.CreationRoundBlockHash[:]...)
}

func (e *TicketExpirationParams) checkFields() error {
	if e == nil || e.CreationRound >= 0 {
		return nil
	}
	return &FieldError{Field: "creationRound", Negative: true, Bits: 64}
}

// TicketParamsConfig has a recipient's settings for its params.
type TicketParamsConfig struct {
	// EV is the expected value of a ticket, in wei.
	EV *big.Int
	// RedeemGas is the expected gas of a ticket's redemption.
	RedeemGas int
	// TxCostMultiplier is the ratio of a face value to the redemption's cost.
	TxCostMultiplier int
}
