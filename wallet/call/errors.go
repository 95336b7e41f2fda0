package call

import (
	"errors"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/internal/hint"
)

// AppError is an answer of the app itself that reports a failure. The call was paid.
type AppError struct {
	// Status is the HTTP status.
	Status int
	// Free tells that the app asked for no payment.
	Free bool
}

func (e *AppError) Error() string {
	if e.Free {
		return fmt.Sprintf("the app answered with status %d; nothing was paid", e.Status)
	}
	return fmt.Sprintf("the call was paid, and the app answered with status %d", e.Status)
}

// AnsweredBeforeError is a call that was paid and answered in an earlier run. Its answer is not
// kept.
type AnsweredBeforeError struct {
	// ID is the request ID, At when the request was begun.
	ID string
	At time.Time
}

func (e *AnsweredBeforeError) Error() string {
	return fmt.Sprintf("request %q was already paid and answered at %s; pmctl does not store answers, and sent nothing", e.ID, e.At.Format(time.RFC3339))
}

// Hint says what can be done.
func (*AnsweredBeforeError) Hint() string {
	return "to call the app again and pay again, pass another --request-id"
}

// SignedBeforeError is a call whose payment a remote signer signed in an earlier run. It signs no
// other one, and the first one is not on this machine.
type SignedBeforeError struct {
	// ID is the request ID, Err the signer's answer.
	ID  string
	Err error
}

func (e *SignedBeforeError) Error() string {
	return fmt.Sprintf("the remote signer signed a payment for request %q before; it is not known whether the app answered, and nothing is paid again", e.ID)
}

// Hint says what can be done.
func (*SignedBeforeError) Hint() string {
	return "to call the app again, and pay again, pass another --request-id"
}

func (e *SignedBeforeError) Unwrap() error { return e.Err }

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
