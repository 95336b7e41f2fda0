package redeem

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/wallet/wei"
)

var (
	// ErrNothing is returned when no ticket is left that could be redeemed.
	ErrNothing = errors.New("no ticket can be redeemed")

	// ErrTwice is returned for a ticket that the batch has twice.
	ErrTwice = errors.New("the batch has this ticket twice")

	// ErrPassedOver is returned when the contract paid only some tickets of a batch.
	ErrPassedOver = errors.New("the contract passed over a ticket")

	// ErrNotWorthGas is matched by *WorthError.
	ErrNotWorthGas = errors.New("redemption is not worth its gas")

	// ErrTooEarly is matched by *EarlyError.
	ErrTooEarly = errors.New("the ticket params have not expired yet")
)

// WorthError is a ticket that would bring no more than its redemption costs.
type WorthError struct {
	// Pays is what the contract would pay now, in wei; Cost what the gas costs at the
	// price that the node suggests.
	Pays, Cost wei.Wei
}

func (e *WorthError) Error() string {
	return fmt.Sprintf("redemption is not worth its gas: it pays %s and costs about %s", e.Pays, e.Cost)
}

// Is matches ErrNotWorthGas.
func (e *WorthError) Is(target error) bool { return target == ErrNotWorthGas }

// Hint says what to do.
func (e *WorthError) Hint() string { return "wait for a lower gas price, or pass --at-a-loss" }

// EarlyError is a redemption while the recipient may still take tickets on the same
// params. It would publish recipientRand, with which the sender can tell the tickets
// that win from those that lose before it hands them over.
type EarlyError struct {
	// Now is the newest L1 block, Expires the one that the params expire at.
	Now, Expires *big.Int
}

func (e *EarlyError) Error() string {
	return fmt.Sprintf("the ticket params hold until L1 block %v, and it is %v: a redemption would publish recipientRand while tickets are still taken on it", e.Expires, e.Now)
}

// Is matches ErrTooEarly.
func (e *EarlyError) Is(target error) bool { return target == ErrTooEarly }

// Hint says what to do.
func (e *EarlyError) Hint() string {
	return "wait for that block, or pass --early if you take no more tickets on these params"
}
