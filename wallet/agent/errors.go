package agent

import (
	"errors"
	"fmt"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
)

var (
	// ErrLocked is returned when the agent's key is not open.
	ErrLocked = errors.New("the agent is locked")

	// ErrNoAgent is returned when nothing answers at a socket.
	ErrNoAgent = errors.New("no agent answers")

	// ErrGone is returned when an agent ended, or was cut off, before its whole answer was
	// there. Nonces may be taken for tickets that nobody has.
	ErrGone = errors.New("the agent ended before it had answered")

	// ErrPeer is returned for a socket of which another user holds the other end.
	ErrPeer = errors.New("the other end of the socket is another user's")

	// ErrRunning is returned when an agent serves a socket already.
	ErrRunning = errors.New("an agent runs already")

	// ErrUnsupported is returned where there is no agent.
	ErrUnsupported = errors.New("there is no agent on this system: it needs Linux or macOS")

	// ErrMessage is returned by a Signer for a message that it is not told the purpose of.
	ErrMessage = errors.New("the agent signs no messages as such, only what it can compute itself")

	// ErrMismatch is returned for a request that is another agent's to serve: for another
	// account, chain or store.
	ErrMismatch = errors.New("the agent does not serve this")

	// ErrRound is returned when the round changed between a plan and its tickets.
	ErrRound = errors.New("the tickets were planned for another round than the last initialized one")

	// ErrOrder is returned for an order that asks for nothing or for too much.
	ErrOrder = errors.New("an order of tickets that cannot be made")

	// ErrTransaction is returned for a transaction that an agent does not sign.
	ErrTransaction = errors.New("the agent signs only calls of the network's TicketBroker")
)

// ErrFundsAnother is returned for a transaction that gives the account's ether to another
// sender: who can ask an agent could empty the account by it.
var ErrFundsAnother = hint.With(errors.New("the agent funds its own account only, and this is another's deposit and reserve"),
	"open the key file for this: PMCTL_AGENT=off")

// Mismatch returns an ErrMismatch: what was asked for, and what the agent serves.
func Mismatch(what string, asked, served any) error {
	return fmt.Errorf("%w: %s %v; it serves %v", ErrMismatch, what, asked, served)
}

// olderAgentError is an agent that leaves out what this version asks about. It matches
// ErrMismatch.
type olderAgentError struct{ path string }

func (e *olderAgentError) Error() string {
	return fmt.Sprintf("the agent at %s does not say whether the recipient is active: it runs an earlier version of pmctl", e.path)
}

// Hint says what to do.
func (*olderAgentError) Hint() string { return "restart it: pmctl agent stop, then pmctl agent start" }

// Is matches ErrMismatch.
func (*olderAgentError) Is(target error) bool { return target == ErrMismatch }

// TooManyError is returned for more tickets than an agent makes at once. It matches
// ErrOrder.
type TooManyError struct{ Count uint32 }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("%d tickets are more than the %d that an agent makes at once", e.Count, MaxTickets)
}

// Hint says what to do.
func (*TooManyError) Hint() string {
	return "ask for fewer, or open the key file: PMCTL_AGENT=off"
}

// Is matches ErrOrder.
func (*TooManyError) Is(target error) bool { return target == ErrOrder }

// RemoteError is what an agent refuses with: its own account of the error.
type RemoteError struct {
	// Status is the HTTP status.
	Status int

	// Said is what the agent says.
	Said format.Error
}

func (e *RemoteError) Error() string { return e.Said.Message }

// Hint says what the agent says can be done.
func (e *RemoteError) Hint() string { return e.Said.Hint }

// Is matches ErrLocked, and the kinds of refusal of package policy.
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

// LockedError returns an ErrLocked that says why.
func LockedError(why string) error { return fmt.Errorf("%w: %s", ErrLocked, why) }
