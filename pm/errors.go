package pm

import "errors"

// Why params are not used, or a ticket is refused. Match them with errors.Is: returned errors
// wrap them with the values found.
var (
	// ErrTicketParamsExpired is returned for params, or a ticket made from params, used at or
	// too close to their expiration block.
	ErrTicketParamsExpired = errors.New("TicketParams expired")

	// ErrNoExpirationBlock is returned for params without an expiration block.
	ErrNoExpirationBlock = errors.New("ticketParams expiration block is 0")

	// ErrEVNotBelowFaceValue is returned for params whose tickets almost certainly win: they
	// would be a payment, not a lottery.
	ErrEVNotBelowFaceValue = errors.New("ticket EV is not below its face value")

	// ErrSenderUnlocking is returned if a sender can withdraw its deposit and reserve in the
	// next round, or already could.
	ErrSenderUnlocking = errors.New("sender deposit and reserve are about to unlock")

	// ErrNoDeposit is returned if a sender's deposit is 0.
	ErrNoDeposit = errors.New("sender deposit is zero")

	// ErrNoReserve is returned if a sender's reserve is 0.
	ErrNoReserve = errors.New("sender reserve is zero")

	// ErrInsufficientSenderReserve is returned if a sender's reserve is too small for a face
	// value that is worth redeeming.
	ErrInsufficientSenderReserve = errors.New("insufficient sender reserve")
)

// Why a ticket is not valid. A Validator wraps them with the values found. A Recipient returns all but
// ErrTicketSignature in a *FatalReceiveErr.
var (
	// ErrTicketRecipient is returned for a ticket with another recipient.
	ErrTicketRecipient = errors.New("invalid ticket recipient")

	// ErrTicketSender is returned for a ticket whose sender is the zero address.
	ErrTicketSender = errors.New("invalid ticket sender")

	// ErrRecipientRand is returned if recipientRand is not the preimage of the ticket's
	// recipientRandHash, as after any change to the advertised params.
	ErrRecipientRand = errors.New("invalid recipientRand for ticket recipientRandHash")

	// ErrTicketSignature is returned for a ticket that its sender did not sign.
	ErrTicketSignature = errors.New("invalid ticket signature")
)

// ErrSenderValidation is returned if the sender cannot send tickets. It wraps the reason, such
// as ErrSenderUnlocking or ErrNoDeposit.
type ErrSenderValidation struct{ err error }

func (e ErrSenderValidation) Error() string {
	if e.err == nil {
		return "the sender cannot send tickets"
	}
	return e.err.Error()
}

// Unwrap returns the reason.
func (e ErrSenderValidation) Unwrap() error { return e.err }

// Why a Recipient refuses a valid ticket.
var (
	// ErrNonceReplayed is returned for a senderNonce seen before with the ticket's
	// recipientRandHash.
	ErrNonceReplayed = errors.New("ticket senderNonce was seen before")

	// ErrTooManyNonces is returned once 600 nonces have been seen for one recipientRandHash,
	// the most that are accepted.
	ErrTooManyNonces = errors.New("too many senderNonces for one recipientRandHash")

	// ErrNotWinning is returned for the redemption of a ticket that did not win.
	ErrNotWinning = errors.New("ticket did not win")
)

// Errors that settle a winner's redemption for good. A Broker and its CheckTx wrap them; after
// any other error redemption is retried.
var (
	// ErrTicketUsed is returned for a ticket that has been redeemed before.
	ErrTicketUsed = errors.New("ticket is used")

	// ErrTxFailed is returned for a transaction that was mined and reverted.
	ErrTxFailed = errors.New("transaction failed")

	// ErrNoRoundBlockHash is returned if the chain has no block hash for the ticket's creation
	// round, so that it cannot be redeemed.
	ErrNoRoundBlockHash = errors.New("ticket creationRound does not have a block hash")
)
