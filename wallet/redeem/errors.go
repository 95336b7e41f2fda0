package redeem

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/wallet/wei"
)

var (
	// ErrNothing is returned if no ticket can be redeemed.
	ErrNothing = errors.New("no ticket can be redeemed")
	// ErrTwice is returned for a duplicate ticket in a batch.
	ErrTwice = errors.New("the batch has this ticket twice")
	// ErrPassedOver is returned if the contract paid only some tickets of a batch.
	ErrPassedOver = errors.New("the contract passed over a ticket")
	// ErrNotWorthGas is matched by *WorthError.
	ErrNotWorthGas = errors.New("redemption is not worth its gas")
	// ErrTooEarly is matched by *EarlyError.
	ErrTooEarly = errors.New("the ticket params have not expired yet")
)

// WorthError is returned for a ticket that pays no more than its redemption costs.
type WorthError struct {
	// Pays is what the contract would pay now, in wei; Cost is the cost of the gas at the node's
	// price.
	Pays, Cost wei.Wei
}

func (e *WorthError) Error() string {
	return fmt.Sprintf("redemption is not worth its gas: it pays %s, but costs about %s", e.Pays, e.Cost)
}

func (e *WorthError) Is(target error) bool { return target == ErrNotWorthGas }
func (e *WorthError) Hint() string         { return "wait for a lower gas price, or pass --at-a-loss" }

// EarlyError is returned for a redemption while the recipient may still accept tickets on the same
// params. It would publish recipientRand, which tells the sender in advance which tickets win.
type EarlyError struct {
	// Now is the newest L1 block, Expires the block at which the params expire.
	Now, Expires *big.Int
}

func (e *EarlyError) Error() string {
	return fmt.Sprintf("the ticket params expire at L1 block %v, and the newest block is %v: a redemption would publish recipientRand while it is still in use", e.Expires, e.Now)
}

func (e *EarlyError) Is(target error) bool { return target == ErrTooEarly }

func (e *EarlyError) Hint() string {
	return "wait for that block, or pass --early if you accept no more tickets on these params"
}
