package agent

import (
	"errors"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
)

var (
	// ErrLocked is returned if the agent's key is closed.
	ErrLocked = errors.New("the agent is locked")

	// ErrNoAgent is returned if no agent answers at a socket.
	ErrNoAgent = errors.New("no agent answers")

	// ErrGone is returned if an agent ended, or the connection broke, before its answer was
	// complete. Nonces may be reserved for tickets that were lost.
	ErrGone = errors.New("the agent ended before its answer was complete")

	// ErrPeer is returned for a socket whose other end belongs to another user.
	ErrPeer = errors.New("the other end of the socket belongs to another user")

	// ErrRunning is returned if an agent already serves the socket.
	ErrRunning = errors.New("an agent is already running")

	// ErrUnsupported is returned on a system without agents.
	ErrUnsupported = errors.New("an agent needs Linux or macOS")

	// ErrMessage is returned by a Signer for a message without a known purpose.
	ErrMessage = errors.New("the agent signs only messages that it can compute itself")

	// ErrMismatch is returned for a request for another account, chain or store than the agent's.
	ErrMismatch = errors.New("the agent does not serve this")

	// ErrRound is returned if the round changed between planning tickets and creating them.
	ErrRound = errors.New("the tickets were planned for another round than the last initialized one")

	// ErrOrder is returned for an order of no tickets or of too many.
	ErrOrder = errors.New("invalid order of tickets")

	// ErrTransaction is returned for a transaction that an agent does not sign.
	ErrTransaction = errors.New("the agent signs only calls of the network's TicketBroker")
)

// ErrFundsAnother is returned for a transaction that funds another sender: any process that reaches
// the agent could empty the account that way.
var ErrFundsAnother = hint.With(errors.New("the agent funds only its own account, not another account's deposit and reserve"),
	"use the key file instead: PMCTL_AGENT=off")

// Mismatch returns an ErrMismatch with what was asked for, and what the agent serves.
func Mismatch(what string, asked, served any) error {
	return fmt.Errorf("%w: %s %v; it serves %v", ErrMismatch, what, asked, served)
}

// OtherVersionError is an agent of another version of pmctl. It matches ErrMismatch.
type OtherVersionError struct {
	// Path is the agent's socket, Reason what it answers.
	Path   string
	Reason error
}

func (e *OtherVersionError) Error() string {
	return fmt.Sprintf("the agent at %s runs another version of pmctl: %v", e.Path, e.Reason)
}

// Hint says what can be done.
func (*OtherVersionError) Hint() string {
	return "restart it: pmctl agent stop, then pmctl agent start"
}

func (*OtherVersionError) Is(target error) bool { return target == ErrMismatch }
func (e *OtherVersionError) Unwrap() error      { return e.Reason }

// tooMany returns an ErrOrder for more tickets than an agent creates at once.
func tooMany(count uint32) error {
	return hint.With(hint.Kind(ErrOrder, fmt.Errorf("%d tickets are more than the %d that an agent creates at once", count, MaxTickets)),
		"create fewer at once, or use the key file: PMCTL_AGENT=off")
}

// RemoteError is an agent's refusal.
type RemoteError struct {
	Status int
	// Said is the agent's error.
	Said format.Error
}

func (e *RemoteError) Error() string { return e.Said.Message }

// Hint says what can be done.
func (e *RemoteError) Hint() string { return e.Said.Hint }

// Is matches ErrLocked, package policy's kinds of refusal, and chain.ErrUnreachable.
func (e *RemoteError) Is(target error) bool {
	switch target {
	case ErrLocked:
		return e.Said.Code == "agent_locked"
	case policy.ErrLimit:
		return e.Said.Code == "limit"
	case policy.ErrFunds:
		return e.Said.Code == "insufficient_funds"
	case policy.ErrUnacceptable:
		return e.Said.Code == "unacceptable"
	case chain.ErrUnreachable:
		return e.Said.Code == "unreachable"
	}
	return false
}

// LockedError returns an ErrLocked with the reason.
func LockedError(why string) error { return fmt.Errorf("%w: %s", ErrLocked, why) }

// ErrSilent is returned for an agent that accepts a connection and does not answer, as one that was
// stopped with SIGSTOP.
var ErrSilent = errors.New("the agent did not answer")

// noAnswer is the ErrSilent of the agent at a socket.
func noAnswer(path string, within time.Duration) error {
	return hint.With(hint.Kind(ErrSilent, fmt.Errorf("the agent at %s did not answer within %v", path, duration.Text(within))),
		"its process may be stopped: find it with pgrep -a pmctl, then continue it with kill -CONT PID, or end it with kill -KILL PID")
}
