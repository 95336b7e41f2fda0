package pm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
)

// Recipient says what tickets it wants and receives them.
type Recipient interface {
	// ReceiveTicket checks a ticket and takes its nonce. seed is the one that the
	// ticket's params carried. It returns the id of the session the ticket belongs
	// to, which is its recipientRandHash in hex, and whether the ticket won. After a
	// *FatalReceiveErr the payment is over; after any other error the rest of a batch
	// is still worth taking.
	ReceiveTicket(ticket *Ticket, sig []byte, seed *big.Int) (sessionID string, won bool, err error)

	// RedeemWinningTicket hands a winner over for redemption, which happens some time
	// after its params have expired.
	RedeemWinningTicket(ticket *Ticket, sig []byte, seed *big.Int) error

	// TicketParams returns fresh params for a sender at a price in wei a pixel.
	TicketParams(sender common.Address, price *big.Rat) (*TicketParams, error)

	// TxCostMultiplier returns how many times the cost of its redemption the face
	// value of this sender's tickets is.
	TxCostMultiplier(sender common.Address) (*big.Rat, error)

	// EV returns the expected value that every ticket must have, in wei.
	EV() *big.Rat

	// SetMaxFaceValue sets the highest face value to ask for, in wei; 0 is no limit.
	SetMaxFaceValue(maxfacevalue *big.Int)
}

// GasPriceMonitor knows the current gas price.
type GasPriceMonitor interface {
	// GasPrice returns the gas price, in wei a unit of gas.
	GasPrice() *big.Int
}
