package pm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
)

// Ticket is one lottery ticket: a promise that pays FaceValue when it wins and
// nothing otherwise, so that its expected value is the payment.
type Ticket struct {
	// Recipient is who is paid when the ticket wins.
	Recipient common.Address

	// Sender is whose deposit and reserve pay.
	Sender common.Address

	// FaceValue is what a win pays, in wei; at most 256 bits.
	FaceValue *big.Int

	// WinProb is the numerator of the probability to win, over 2^256-1.
	WinProb *big.Int

	// SenderNonce tells tickets with one RecipientRandHash apart. A session's
	// first ticket carries 1, and a nonce is never used twice.
	SenderNonce uint32

	// RecipientRandHash is keccak256 of the recipient's secret number, as 32
	// bytes; the number itself is revealed only to redeem a winner.
	RecipientRandHash common.Hash

	// CreationRound is the protocol round the ticket belongs to. A ticket can be
	// redeemed for a limited number of rounds from it.
	CreationRound int64

	// CreationRoundBlockHash is the L1 block hash that the RoundsManager recorded
	// for CreationRound.
	CreationRoundBlockHash common.Hash

	// ParamsExpirationBlock is the L1 block from which the recipient refuses the
	// ticket. It travels beside the ticket and is not hashed.
	ParamsExpirationBlock *big.Int

	// PricePerPixel is the price that the params were made for, in wei a pixel.
	// It travels beside the ticket and is not hashed.
	PricePerPixel *big.Rat
}

// TicketParams is what a recipient asks of a sender's tickets.
type TicketParams struct {
	// Recipient is who is paid when a ticket wins.
	Recipient common.Address

	// FaceValue is what a win pays, in wei; at most 256 bits.
	FaceValue *big.Int

	// WinProb is the numerator of the probability to win, over 2^256-1.
	WinProb *big.Int

	// RecipientRandHash commits the recipient to its secret number.
	RecipientRandHash common.Hash

	// Seed lets the recipient derive its secret number again; at most 256 bits.
	Seed *big.Int

	// ExpirationBlock is the L1 block from which the recipient refuses tickets.
	ExpirationBlock *big.Int

	// PricePerPixel is the price the params were made for, in wei a pixel.
	PricePerPixel *big.Rat

	// ExpirationParams is the round that the tickets belong to.
	ExpirationParams *TicketExpirationParams
}

// TicketExpirationParams ties a ticket to the protocol round it was made in.
type TicketExpirationParams struct {
	// CreationRound is the round's number.
	CreationRound int64

	// CreationRoundBlockHash is the L1 block hash recorded for CreationRound.
	CreationRoundBlockHash common.Hash
}

// TicketSenderParams is what differs between the tickets of a batch.
type TicketSenderParams struct {
	// SenderNonce is the ticket's nonce.
	SenderNonce uint32

	// Sig is the sender's 65-byte signature R‖S‖V over the ticket's hash.
	Sig []byte
}

// TicketBatch is tickets of one sender that share their params.
type TicketBatch struct {
	*TicketParams
	*TicketExpirationParams

	// Sender is whose deposit and reserve pay.
	Sender common.Address

	// SenderParams has one entry a ticket.
	SenderParams []*TicketSenderParams
}

// SignedTicket is a ticket with what its redemption needs.
type SignedTicket struct {
	*Ticket

	// Sig is the sender's 65-byte signature R‖S‖V over the ticket's hash.
	Sig []byte

	// RecipientRand is the preimage of the ticket's RecipientRandHash.
	RecipientRand *big.Int
}
