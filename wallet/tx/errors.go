package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"

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

// NotMinedError is a transaction that was sent and is not mined yet, or not deep enough:
// it may still be.
type NotMinedError struct {
	// Hash names the transaction.
	Hash common.Hash
	// In is the block that has it, with too few others on top; nil when none has.
	In *big.Int
	// Err is why the waiting ended.
	Err error
}

func (e *NotMinedError) Error() string {
	if e.In != nil {
		return fmt.Sprintf("transaction %s is in block %v and has too few confirmations: %v", e.Hash, e.In, e.Err)
	}
	return fmt.Sprintf("transaction %s was sent and is not mined yet: %v", e.Hash, e.Err)
}

// Unwrap returns why the waiting ended.
func (e *NotMinedError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *NotMinedError) Hint() string {
	return "it may still be mined: pmctl tx list shows it; the same command again goes on with it, and sends no second one"
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
	return "it may still be mined: pmctl tx list shows it; the same command again goes on with it, and sends no second one"
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

// CancelledError is an intent in whose place nothing was mined.
type CancelledError struct {
	// Hash names the transaction that did nothing, Nonce the nonce that it took.
	Hash  common.Hash
	Nonce uint64
}

func (e *CancelledError) Error() string {
	return fmt.Sprintf("it was cancelled: transaction %s, which does nothing, was mined with nonce %d in its place", e.Hash, e.Nonce)
}

// LostError is an intent none of whose transactions can be mined any more.
type LostError struct {
	// Hash names its newest transaction, Nonce the nonce.
	Hash  common.Hash
	Nonce uint64
}

func (e *LostError) Error() string {
	return fmt.Sprintf("transaction %s can never be mined: another transaction of the account, which pmctl did not send, has its nonce %d", e.Hash, e.Nonce)
}

// Hint says what to do.
func (e *LostError) Hint() string {
	return "nothing of it was done; run the command again, with another --request-id if it had one"
}
