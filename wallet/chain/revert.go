package chain

import (
	"encoding/hex"
	"errors"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/pmctl/pmctl/pm"
)

// Reasons for which the contracts revert, as they spell them.
const (
	reasonPaused         = "system is paused"
	reasonNoFunds        = "sender deposit and reserve are zero"
	reasonUnlocking      = "unlock already initiated"
	reasonNotUnlocking   = "no unlock request in progress"
	reasonLocked         = "account is locked"
	reasonNotInitialized = "current round is not initialized"
)

// Reasons to match with errors.Is.
var (
	ErrPaused         = errors.New(reasonPaused)
	ErrNoFunds        = errors.New(reasonNoFunds)
	ErrUnlocking      = errors.New(reasonUnlocking)
	ErrNotUnlocking   = errors.New(reasonNotUnlocking)
	ErrLocked         = errors.New(reasonLocked)
	ErrNotInitialized = errors.New(reasonNotInitialized)
)

// RevertError is a call that a contract refuses. It matches the reasons above, and
// package pm's ErrTicketUsed and ErrNoRoundBlockHash, with errors.Is.
type RevertError struct {
	// Reason is the contract's own; "" when it gave none.
	Reason string
}

func (e *RevertError) Error() string {
	if e.Reason == "" {
		return "the contract refuses without a reason"
	}
	return "the contract refuses: " + e.Reason
}

// Is tells whether target is this reason.
func (e *RevertError) Is(target error) bool {
	switch target {
	case ErrPaused, ErrNoFunds, ErrUnlocking, ErrNotUnlocking, ErrLocked, ErrNotInitialized, pm.ErrTicketUsed, pm.ErrNoRoundBlockHash:
		return e.Reason == target.Error()
	}
	return false
}

// Hint says what can be done.
func (e *RevertError) Hint() string {
	switch e.Reason {
	case reasonPaused:
		return "the network's owners have paused the contracts; nothing can be sent until they resume"
	case reasonNoFunds:
		return "fund a deposit and a reserve first: pmctl fund --deposit A --reserve B"
	case reasonUnlocking:
		return "see pmctl status for the round from which you can withdraw, or take it back with pmctl unlock cancel"
	case reasonNotUnlocking:
		return "start with pmctl unlock; after the unlock period pmctl withdraw pays out"
	case reasonLocked:
		return "see pmctl status for the round from which you can withdraw"
	}
	return ""
}

// executionReverted is the code that nodes give a revert (EIP-1474 leaves it to them;
// all large clients agree).
const executionReverted = 3

// asRevert returns the revert that err is, or nil.
func asRevert(err error) *RevertError {
	var already *RevertError
	if errors.As(err, &already) {
		return already
	}
	var data rpc.DataError
	if errors.As(err, &data) {
		if text, ok := data.ErrorData().(string); ok {
			if reason, ok := revertReason(text); ok {
				return &RevertError{reason}
			}
		}
	}
	var coded rpc.Error
	if errors.As(err, &coded) && (coded.ErrorCode() == executionReverted || strings.HasPrefix(coded.Error(), "execution reverted")) {
		_, reason, _ := strings.Cut(coded.Error(), "execution reverted: ")
		return &RevertError{reason}
	}
	return nil
}

// revertReason decodes what a reverted call returned: Error(string), Panic(uint256),
// an unknown custom error as its selector, or nothing.
func revertReason(text string) (string, bool) {
	data, err := hexutil.Decode(text)
	switch {
	case err != nil:
		return "", false
	case len(data) == 0:
		return "", true
	case len(data) < 4:
		return "0x" + hex.EncodeToString(data), true
	}
	reason, err := abi.UnpackRevert(data)
	if err != nil {
		return "custom error 0x" + hex.EncodeToString(data[:4]), true
	}
	return reason, true
}
