package contract

import (
	"errors"

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
