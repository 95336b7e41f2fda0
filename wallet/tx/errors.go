package tx

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ErrInsufficientFunds is matched by *InsufficientFundsError.
var ErrInsufficientFunds = errors.New("insufficient funds")

// InsufficientFundsError is an account that cannot pay a transaction's value and its
// highest price.
type InsufficientFundsError struct {
	// Account is who would pay.
	Account common.Address
	// Have is its balance, Need the value and the highest price together, Missing the
	// difference.
	Have, Need, Missing wei.Wei
	// Value is what the transaction moves, MaxFee the highest price of its gas.
	Value, MaxFee wei.Wei
}

func (e *InsufficientFundsError) Error() string {
	return fmt.Sprintf("insufficient funds: %s has %s and needs %s (%s and at most %s for gas): %s are missing",
		e.Account, e.Have, e.Need, e.Value, e.MaxFee, e.Missing)
}

// Is matches ErrInsufficientFunds.
func (e *InsufficientFundsError) Is(target error) bool { return target == ErrInsufficientFunds }

// Hint says what to do.
func (e *InsufficientFundsError) Hint() string {
	return fmt.Sprintf("send at least %s to %s, or choose smaller amounts", e.Missing, e.Account)
}

// NotMinedError is a transaction that was sent and is not mined yet: it may still be.
type NotMinedError struct {
	// Hash names the transaction.
	Hash common.Hash
	// Err is why the waiting ended.
	Err error
}

func (e *NotMinedError) Error() string {
	return fmt.Sprintf("transaction %s was sent and is not mined yet: %v", e.Hash, e.Err)
}

// Unwrap returns why the waiting ended.
func (e *NotMinedError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *NotMinedError) Hint() string {
	return "it may still be mined: look at pmctl status before you send another one"
}

// waitEnded is a context's error in the words of somebody who waited.
type waitEnded struct{ err error }

func (e waitEnded) Error() string {
	if errors.Is(e.err, context.Canceled) {
		return "the waiting was interrupted"
	}
	return "the time to wait is over"
}

func (e waitEnded) Unwrap() error { return e.err }

// UnknownOutcomeError is a transaction that was handed to the node without an answer:
// it may or may not have been sent.
type UnknownOutcomeError struct {
	// Hash names the transaction.
	Hash common.Hash
	// Err is what came in place of an answer.
	Err error
}

func (e *UnknownOutcomeError) Error() string {
	return fmt.Sprintf("it is not known whether transaction %s was sent: %v", e.Hash, e.Err)
}

// Unwrap returns what came in place of an answer.
func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *UnknownOutcomeError) Hint() string {
	return "it may still be mined: look at pmctl status before you send another one"
}

// FailedError is a transaction that was mined and reverted: it changed nothing but
// cost its gas.
type FailedError struct {
	// Hash names the transaction.
	Hash common.Hash
	// Err is the contract's reason, a *chain.RevertError, as far as it can be found.
	Err error
}

func (e *FailedError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("transaction %s was mined and failed", e.Hash)
	}
	return fmt.Sprintf("transaction %s was mined and failed: %v", e.Hash, e.Err)
}

// Unwrap returns the contract's reason.
func (e *FailedError) Unwrap() error { return e.Err }

// Is matches pm.ErrTxFailed.
func (e *FailedError) Is(target error) bool { return target == pm.ErrTxFailed }
