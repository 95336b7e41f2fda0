package tx

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// ErrInsufficientFunds is matched by *InsufficientFundsError.
var ErrInsufficientFunds = errors.New("insufficient funds")

// InsufficientFundsError is an account that cannot pay a transaction's value and maximum fee.
type InsufficientFundsError struct {
	// Account is the sender.
	Account common.Address
	// Have is its balance, Need the value plus the maximum fee, Missing the difference.
	Have, Need, Missing wei.Wei
	// Value is what the transaction moves, MaxFee the maximum fee for its gas.
	Value, MaxFee wei.Wei
}

func (e *InsufficientFundsError) Error() string {
	return fmt.Sprintf("insufficient funds: %s has %s and needs %s (%s and at most %s for gas): %s are missing",
		e.Account, e.Have, e.Need, e.Value, e.MaxFee, e.Missing)
}

func (e *InsufficientFundsError) Is(target error) bool { return target == ErrInsufficientFunds }

func (e *InsufficientFundsError) Hint() string {
	return fmt.Sprintf("send at least %s to %s, or choose smaller amounts", e.Missing, e.Account)
}

// ErrUnrecorded is matched by the errors of Unrecorded.
var ErrUnrecorded = errors.New("the result of a mined transaction could not be checked and recorded")

// Unrecorded returns the error of a transaction that is mined, and whose result could not be checked or
// recorded. The same command, run again, continues it.
func Unrecorded(receipt *types.Receipt, err error) error {
	err = fmt.Errorf("transaction %s is mined in block %v, but its result could not be checked and recorded: %w", receipt.TxHash, receipt.BlockNumber, err)
	return hint.With(hint.Kind(ErrUnrecorded, err), "run the same command again to continue it; no second one is sent")
}

// NotMinedError is a transaction that was sent and is not mined yet, or lacks confirmations. It
// may still be mined.
type NotMinedError struct {
	// Hash is the transaction's.
	Hash common.Hash
	// In is the block that has it, with too few others on top; nil if none has.
	In *big.Int
	// Dropped reports whether the journal has it as mined: its block was replaced.
	Dropped bool
	// Err is why the wait ended.
	Err error
}

func (e *NotMinedError) Error() string {
	if hidden := new(HiddenError); errors.As(e.Err, &hidden) {
		return fmt.Sprintf("it is not known whether transaction %s was mined: %v", e.Hash, hidden)
	}
	if e.In != nil {
		return fmt.Sprintf("transaction %s is in block %v, without enough confirmations yet: %v", e.Hash, e.In, e.Err)
	}
	return fmt.Sprintf("transaction %s was sent and is not mined yet: %v", e.Hash, e.Err)
}

func (e *NotMinedError) Unwrap() error { return e.Err }

func (e *NotMinedError) Hint() string {
	if next, ok := hint.Of(e.Err); ok && !errors.Is(e.Err, chain.ErrUnreachable) {
		return next
	}
	if e.Dropped {
		return fmt.Sprintf("its block was replaced, and it may be mined again: pmctl tx wait %s", e.Hash)
	}
	return mayBeMined
}

// waitEnded is a context's error, worded for a wait.
type waitEnded struct{ err error }

func (e waitEnded) Error() string {
	if errors.Is(e.err, context.Canceled) {
		return "the wait was interrupted"
	}
	return "the wait timed out"
}

func (e waitEnded) Unwrap() error { return e.err }

// UnknownOutcomeError is a transaction that was sent to the node without an answer: the node
// may or may not have it.
type UnknownOutcomeError struct {
	// Hash is the transaction's.
	Hash common.Hash
	// Err is the failure of the request.
	Err error
}

func (e *UnknownOutcomeError) Error() string {
	return fmt.Sprintf("it is not known whether transaction %s was sent: %v", e.Hash, e.Err)
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }
func (e *UnknownOutcomeError) Hint() string  { return mayBeMined }

// mayBeMined is the hint for a transaction whose sending failed.
const mayBeMined = "it may still be mined: pmctl tx list shows it; run the same command again to continue it, no second one is sent"

// Failed returns the error of a transaction that was mined and reverted: it had no effect, but its gas was
// paid. why is the contract's reason, a *contract.RevertError, nil if it cannot be found. It matches
// pm.ErrTxFailed.
func Failed(hash common.Hash, why error) error {
	err := fmt.Errorf("transaction %s was mined and failed", hash)
	if why != nil {
		err = fmt.Errorf("%w: %w", err, why)
	}
	return hint.Kind(pm.ErrTxFailed, err)
}

// CancelledError is an intent that an empty transaction replaced.
type CancelledError struct {
	// Hash is the empty transaction's, Nonce the nonce that it used.
	Hash  common.Hash
	Nonce uint64
}

func (e *CancelledError) Error() string {
	return fmt.Sprintf("it was cancelled: the empty transaction %s was mined with its nonce %d", e.Hash, e.Nonce)
}

// LostError is an intent whose transactions can no longer be mined: the chain has another
// transaction of the account with its nonce.
type LostError struct {
	// Hash is its newest transaction's, Nonce the nonce, and By the transaction that used it.
	Hash  common.Hash
	Nonce uint64
	By    common.Hash
}

func (e *LostError) Error() string {
	return fmt.Sprintf("transaction %s can no longer be mined: another transaction of the account, %s, used its nonce %d", e.Hash, e.By, e.Nonce)
}

func (e *LostError) Hint() string {
	return "run the same command again: it signs the transaction with another nonce"
}

// HiddenError is a used nonce whose transaction a node does not show.
type HiddenError struct {
	// URL is the node's, without secrets.
	URL   string
	Nonce uint64
	// Err is why it does not show the transaction.
	Err error
}

func (e *HiddenError) Error() string {
	return fmt.Sprintf("nonce %d is used by a transaction that this node does not show (%s): %v", e.Nonce, e.URL, e.Err)
}

func (e *HiddenError) Unwrap() error { return e.Err }

func (e *HiddenError) Hint() string {
	return "run the same command again later, or pass another node's --rpc-url; no second transaction is sent"
}

// Behind returns the error of a transaction that can be mined only after another one of the account.
func Behind(first *Intent) error {
	err := fmt.Errorf("transaction %s must be mined first", first.Describe())
	if !first.State.Unsettled() {
		err = fmt.Errorf("transaction %s, must be mined again first: its block was replaced", first.Describe())
	}
	return hint.With(err, "wait for it: pmctl tx wait %s", first.Hash())
}

// Gap returns the error of a transaction that can be mined only after one with another nonce, which the
// journal does not have.
func Gap(nonce uint64) error {
	return hint.With(fmt.Errorf("a transaction with nonce %d must be mined first, and the journal has no open one", nonce),
		"if another wallet sent it, wait; otherwise the next transaction that pmctl sends uses nonce %d", nonce)
}

// RefusedError is a transaction that a node refused and does not have. Another node may have
// accepted it.
type RefusedError struct {
	// Hash is the transaction's, Nonce its nonce.
	Hash  common.Hash
	Nonce uint64
	// Err is the node's answer.
	Err error
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the node refused transaction %s, nonce %d: %v", e.Hash, e.Nonce, e.Err)
}

func (e *RefusedError) Unwrap() error { return e.Err }

func (e *RefusedError) Hint() string {
	return fmt.Sprintf("%s; then run the same command again: it signs the transaction with the same nonce, so that only one is mined. To give up: pmctl tx cancel %s", remedy(e.Err), e.Hash)
}

// remedy returns what may help against a node's refusal. Nodes have no codes for their reasons;
// only this hint depends on their words.
func remedy(err error) string {
	for _, known := range []struct{ words, remedy string }{
		{"insufficient funds", "add ether to the account, or choose smaller amounts"},
		{"underpriced", "another transaction may be pending with this nonce, or the price is too low for the node: wait, or raise --max-gas-price and --max-fee"},
		{"less than block base fee", "the gas price rose: raise --max-gas-price and --max-fee if they are below it"},
		{"exceeds the configured cap", "the node limits fees: lower --max-fee, or pass another node's --rpc-url"},
		{"intrinsic gas too low", "it needs more gas than before"},
	} {
		if strings.Contains(err.Error(), known.words) {
			return known.remedy
		}
	}
	return "pass another node's --rpc-url"
}
