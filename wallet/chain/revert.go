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

// Codes that nodes give a revert (EIP-1474 leaves it to them): the large clients', and
// that of Parity's descendants.
const (
	executionReverted = 3
	vmExecutionError  = -32015
)

// asRevert returns the revert that err is, or nil.
func asRevert(err error) *RevertError {
	var already *RevertError
	if errors.As(err, &already) {
		return already
	}
	var said rpc.Error
	if !errors.As(err, &said) {
		return nil
	}
	text, named := revertText(said.Error())
	named = named || said.ErrorCode() == executionReverted || said.ErrorCode() == vmExecutionError
	var with rpc.DataError
	if errors.As(err, &with) {
		if data, ok := revertData(with.ErrorData(), mostNested); ok && (named || len(data) > 0) && (len(data) > 0 || text == "") {
			return &RevertError{revertReason(data)}
		}
	}
	if !named {
		return nil
	}
	// Some have what the contract returned in the message, and some the reason.
	if data, err := hexutil.Decode(text); err == nil {
		text = revertReason(data)
	}
	return &RevertError{text}
}

// mostNested bounds how deep in an error's data the contract's is looked for.
const mostNested = 3

// revertData finds what a reverted call returned in an error's data: a text that may begin
// with "Reverted", by itself or in an object, or in one of those that an object has by
// transactions' hashes.
func revertData(data any, deep int) ([]byte, bool) {
	switch v := data.(type) {
	case string:
		decoded, err := hexutil.Decode(strings.TrimPrefix(v, "Reverted "))
		return decoded, err == nil
	case map[string]any:
		if deep == 0 {
			return nil, false
		}
		for _, key := range []string{"data", "result", "return", "output"} {
			if found, ok := revertData(v[key], deep-1); ok {
				return found, true
			}
		}
		for _, inner := range v {
			if object, ok := inner.(map[string]any); ok {
				if found, ok := revertData(object, deep-1); ok {
					return found, true
				}
			}
		}
	}
	return nil, false
}

// revertText returns the reason in a message, and whether it tells of a revert at all.
func revertText(message string) (reason string, ok bool) {
	for _, begin := range []string{"execution reverted", "Execution reverted"} {
		if _, rest, found := strings.Cut(message, begin); found {
			return plainReason(strings.TrimPrefix(rest, ":")), true
		}
	}
	for _, begin := range []string{"VM Exception while processing transaction", "VM execution error", "Transaction reverted"} {
		_, rest, found := strings.Cut(message, begin)
		if !found {
			continue
		}
		for _, between := range []string{".", ":", " reverted", " revert", ":", " with reason string", " without a reason string"} {
			rest = strings.TrimPrefix(rest, between)
		}
		return plainReason(rest), true
	}
	return "", false
}

// plainReason is a reason without what nodes write around it.
func plainReason(text string) string {
	text, _, _ = strings.Cut(text, " (supplied gas ")
	text = strings.TrimSpace(text)
	if quoted := strings.Trim(text, `'"`); len(quoted) == len(text)-2 {
		return quoted
	}
	return text
}

// revertReason decodes what a reverted call returned: Error(string), Panic(uint256),
// an unknown custom error as its selector, or nothing.
func revertReason(data []byte) string {
	switch {
	case len(data) == 0:
		return ""
	case len(data) < 4:
		return "0x" + hex.EncodeToString(data)
	}
	reason, err := abi.UnpackRevert(data)
	if err != nil {
		return "custom error 0x" + hex.EncodeToString(data[:4])
	}
	return reason
}
