package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
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
	if hidden := new(HiddenError); errors.As(e.Err, &hidden) {
		return fmt.Sprintf("it is not known whether transaction %s was mined: %v", e.Hash, hidden)
	}
	if e.In != nil {
		return fmt.Sprintf("transaction %s is in block %v and has too few confirmations: %v", e.Hash, e.In, e.Err)
	}
	return fmt.Sprintf("transaction %s was sent and is not mined yet: %v", e.Hash, e.Err)
}

// Unwrap returns why the waiting ended.
func (e *NotMinedError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *NotMinedError) Hint() string {
	if next, ok := hint.Of(e.Err); ok && !errors.Is(e.Err, chain.ErrUnreachable) {
		return next
	}
	return mayBeMined
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
func (e *UnknownOutcomeError) Hint() string { return mayBeMined }

// mayBeMined is what to do about a transaction that was handed to a node.
const mayBeMined = "it may still be mined: pmctl tx list shows it; the same command again continues it, and sends no second one"

// FailedError is a transaction that was mined and reverted: it changed nothing but
// cost its gas.
type FailedError struct {
	// Hash names the transaction.
	Hash common.Hash
	// Err is the contract's reason, a *contract.RevertError, as far as it can be found.
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

// OutOfGasError is a transaction whose gas limit was too low for what it does.
type OutOfGasError struct {
	// Limit is what it was allowed to use, Used what it used, in units of gas.
	Limit, Used uint64
}

func (e *OutOfGasError) Error() string {
	return fmt.Sprintf("out of gas: it used %d of the %d units that it was allowed", e.Used, e.Limit)
}

// Hint says what to do.
func (e *OutOfGasError) Hint() string {
	return "nothing but its gas was spent: run the command again, which estimates the gas anew"
}

// CancelledError is an intent in whose place nothing was mined.
type CancelledError struct {
	// Hash names the transaction that did nothing, Nonce the nonce that it took.
	Hash  common.Hash
	Nonce uint64
}

func (e *CancelledError) Error() string {
	return fmt.Sprintf("it was cancelled: transaction %s, which does nothing, was mined with nonce %d in its place", e.Hash, e.Nonce)
}

// LostError is an intent none of whose transactions can be mined any more: the chain has
// another transaction of the account with its nonce.
type LostError struct {
	// Hash names its newest transaction, Nonce the nonce, and By the transaction that used
	// it.
	Hash  common.Hash
	Nonce uint64
	By    common.Hash
}

func (e *LostError) Error() string {
	return fmt.Sprintf("transaction %s cannot be mined any more: another transaction of the account, %s, used its nonce %d", e.Hash, e.By, e.Nonce)
}

// Hint says what to do.
func (e *LostError) Hint() string {
	return "run the same command again: it signs the transaction with another nonce"
}

// HiddenError is a nonce that is used by a transaction which a node does not show.
type HiddenError struct {
	// URL is the node's, without what is secret in it.
	URL   string
	Nonce uint64
	// Err is why it does not show the transaction.
	Err error
}

func (e *HiddenError) Error() string {
	return fmt.Sprintf("nonce %d is used by a transaction that this node does not show (%s): %v", e.Nonce, e.URL, e.Err)
}

// Unwrap returns why the node does not show the transaction.
func (e *HiddenError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *HiddenError) Hint() string {
	return "run the same command again later, or with another node (--rpc-url); no second transaction is sent"
}

// BehindError is a transaction that is mined only after others of the account.
type BehindError struct{ Intents []*Intent }

func (e *BehindError) Error() string {
	return fmt.Sprintf("transaction %s must be mined first", e.Intents[0].Describe())
}

// Hint says what to do.
func (e *BehindError) Hint() string {
	return fmt.Sprintf("wait for that one: pmctl tx wait %s", e.Intents[0].Newest().Hash())
}

// GapError is a transaction that is mined only after another one, which the journal does
// not have.
type GapError struct {
	// Nonce is the missing transaction's.
	Nonce uint64
}

func (e *GapError) Error() string {
	return fmt.Sprintf("a transaction with nonce %d must be mined first, and the journal has no open one", e.Nonce)
}

// Hint says what to do.
func (e *GapError) Hint() string {
	return fmt.Sprintf("if another wallet sent it, wait; otherwise the next command that sends a transaction uses nonce %d", e.Nonce)
}

// RefusedError is a transaction that a node refused, and which it does not have. Another
// node may have taken it.
type RefusedError struct {
	// Hash names the transaction, Nonce is its nonce.
	Hash  common.Hash
	Nonce uint64
	// Err is what the node answered.
	Err error
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the node refused transaction %s, nonce %d: %v", e.Hash, e.Nonce, e.Err)
}

// Unwrap returns what the node answered.
func (e *RefusedError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *RefusedError) Hint() string {
	return fmt.Sprintf("%s; then run the same command again: it signs the transaction with the same nonce, so that only one is mined. To give up: pmctl tx cancel %s", remedy(e.Err), e.Hash)
}

// remedy is what may help against a node's refusal. Nodes have no codes for their
// reasons; nothing but this sentence depends on their words.
func remedy(err error) string {
	for _, known := range []struct{ words, remedy string }{
		{"insufficient funds", "add ether to the account, or choose smaller amounts"},
		{"underpriced", "another transaction may wait with this nonce, or the price is too low for the node: wait, or raise --max-gas-price and --max-fee"},
		{"less than block base fee", "the gas price rose: raise --max-gas-price and --max-fee if they are below it"},
		{"exceeds the configured cap", "the node has a cap on fees: lower --max-fee, or use another node (--rpc-url)"},
		{"intrinsic gas too low", "the gas that it needs rose meanwhile"},
	} {
		if strings.Contains(err.Error(), known.words) {
			return known.remedy
		}
	}
	return "use a node that takes it (--rpc-url)"
}
