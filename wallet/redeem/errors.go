package redeem

import (
	"errors"
)

var (
	// ErrNothing is returned if no ticket can be redeemed.
	ErrNothing = errors.New("no ticket can be redeemed")
	// ErrTwice is returned for a duplicate ticket in a batch.
	ErrTwice = errors.New("the batch has this ticket twice")
	// ErrPassedOver is returned if the contract paid only some tickets of a batch.
	ErrPassedOver = errors.New("the contract passed over a ticket")
	// ErrNotWorthGas is returned for a ticket that pays no more than its redemption costs.
	ErrNotWorthGas = errors.New("redemption is not worth its gas")
	// ErrTooEarly is returned for a redemption while the recipient may still accept tickets on the
	// same params. It would publish recipientRand, which tells the sender in advance which tickets
	// win.
	ErrTooEarly = errors.New("the ticket params have not expired yet")
)
