package call

import (
	"errors"
	"fmt"

	"github.com/pmctl/pmctl/internal/hint"
)

var (
	// ErrApp is returned for an answer that reports a failure: the app's own, or, if nothing was paid, that of
	// a server before it.
	ErrApp = errors.New("the app answered with status")
	// ErrAnsweredBefore is returned for a call that was paid and answered in an earlier run. Its answer is
	// not kept.
	ErrAnsweredBefore = errors.New("the call was paid and answered before")
	// ErrSignedBefore is returned for a call whose payment a remote signer signed in an earlier run. It
	// signs no other one, and the first one is not on this machine.
	ErrSignedBefore = errors.New("the remote signer signed a payment before")
)

// errAnswerLost is the end of a session that an earlier run opened and could not use.
var errAnswerLost = hint.With(errors.New("an earlier run opened it, but the answer with its URLs was lost"),
	"to open and pay for another session, pass another --request-id")

// SessionLostError is a session that the orchestrator no longer has, or that could not be paid.
type SessionLostError struct {
	// ID is the session's.
	ID string
	// Err is why.
	Err error
}

func (e *SessionLostError) Error() string {
	return fmt.Sprintf("session %s has ended: %v", e.ID, e.Err)
}

func (e *SessionLostError) Unwrap() error { return e.Err }
