package contract

import (
	"errors"

	"github.com/pmctl/pmctl/pm"
)

// Reasons of the contracts for reverts, in their words, to match with errors.Is.
var (
	ErrPaused         = errors.New("system is paused")
	ErrNoFunds        = errors.New("sender deposit and reserve are zero")
	ErrUnlocking      = errors.New("unlock already initiated")
	ErrNotUnlocking   = errors.New("no unlock request in progress")
	ErrLocked         = errors.New("account is locked")
	ErrNotInitialized = errors.New("current round is not initialized")
)

// RevertError is a reverted call. It matches the reasons above, and
// package pm's ErrTicketUsed and ErrNoRoundBlockHash, with errors.Is.
type RevertError struct {
	// Reason is the contract's; "" if it has none.
	Reason string
}

func (e *RevertError) Error() string {
	if e.Reason == "" {
		return "the contract refuses without a reason"
	}
	return "the contract refuses: " + e.Reason
}

// Is reports whether target is this reason.
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
	case ErrPaused.Error():
		return "the network's owners have paused the contracts; nothing can be sent until they resume"
	case ErrNoFunds.Error():
		return "there is nothing to unlock or to withdraw before pmctl fund has added a deposit or a reserve"
	case ErrUnlocking.Error():
		return "see pmctl status for the round from which you can withdraw, or take it back with pmctl unlock cancel"
	case ErrNotUnlocking.Error():
		return "deposit and reserve are locked: pmctl unlock starts the unlock period, and pmctl withdraw pays out after it"
	case ErrLocked.Error():
		return "see pmctl status for the round from which you can withdraw"
	}
	return ""
}
