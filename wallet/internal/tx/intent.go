package tx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Intent is one action of an account on the chain, done once. It keeps one nonce, so that at
// most one of its transactions can be mined. It gets another nonce only after the chain has
// shown that a transaction of another intent used the first.
type Intent struct {
	// ID is the journal's name for it.
	ID string

	// Account is the sender, and Nonce its transaction nonce.
	Account common.Address
	Nonce   uint64

	// RequestID is the user's name for the intent; empty if there is none.
	RequestID string

	// Label says what it does: intents with the same label do the same.
	Label Label

	// State is the last recorded state, and SettledBy the transaction that settled it; zero if
	// none did.
	State     State
	SettledBy common.Hash

	// Refusal is the node's message if it refused the newest transaction.
	Refusal string

	// CreatedAt is when its first transaction was signed.
	CreatedAt time.Time

	// Attempts are the transactions signed for it, the oldest first. Any of them may still be
	// mined until the intent is settled.
	Attempts []Attempt
}

// Attempt is a transaction that was signed for an intent.
type Attempt struct {
	Tx   *types.Transaction
	Kind Kind
	At   time.Time
}

// Kind is why a transaction was signed.
type Kind string

// The kinds of attempts.
const (
	KindCall   Kind = "call"   // does what the intent is for
	KindBump   Kind = "bump"   // the same call at a higher price
	KindCancel Kind = "cancel" // an empty transaction that replaces the call
)

// State is an intent's state.
type State string

// The states of intents.
const (
	// Open is an intent with a transaction that may be mined at any time. It keeps its nonce.
	Open State = "open"
	// Refused is an intent whose newest transaction a node refused, while it had no other of
	// it. Another node may have accepted it, so it may still be mined; but other intents may
	// use its nonce.
	Refused State = "refused"
	// Mined is an intent whose call was mined and succeeded.
	Mined State = "mined"
	// Reverted is an intent whose call was mined and failed.
	Reverted State = "reverted"
	// Cancelled is an intent that an empty transaction replaced.
	Cancelled State = "cancelled"
	// Lost is an intent whose nonce was used by a transaction of another intent or another
	// program. It can be signed again, with another nonce.
	Lost State = "lost"
)

// Unsettled reports whether a transaction of the intent may still be mined.
func (s State) Unsettled() bool { return s == Open || s == Refused }

// Outcome is a new state of an intent.
type Outcome struct {
	State State
	// By is the transaction that settled it; zero if none of its own did.
	By common.Hash
	// Refusal is the node's message, for Refused.
	Refusal string
}

// Newest returns the newest attempt, which has the highest price.
func (i *Intent) Newest() *types.Transaction { return i.Attempts[len(i.Attempts)-1].Tx }

// Hash is that of the transaction which settled the intent, or else the newest's.
func (i *Intent) Hash() common.Hash {
	if i.SettledBy != (common.Hash{}) {
		return i.SettledBy
	}
	return i.Newest().Hash()
}

// Sent returns the intent's transaction with a hash; nil if there is none.
func (i *Intent) Sent(hash common.Hash) *types.Transaction { return i.attempt(hash).Tx }

// Has reports whether a transaction is one of the intent's.
func (i *Intent) Has(hash common.Hash) bool { return i.attempt(hash).Tx != nil }

// attempt returns the attempt with a transaction's hash, an empty one if there is none.
func (i *Intent) attempt(hash common.Hash) Attempt {
	for _, a := range i.Attempts {
		if a.Tx.Hash() == hash {
			return a
		}
	}
	return Attempt{}
}

// call returns the newest transaction that is not a cancellation.
func (i *Intent) call() *types.Transaction {
	for n := len(i.Attempts) - 1; n > 0; n-- {
		if i.Attempts[n].Kind != KindCancel {
			return i.Attempts[n].Tx
		}
	}
	return i.Attempts[0].Tx
}

// Journal stores transactions durably before a node gets them. A caller passes the intent as it
// has read it; a change fails with *ChangedError if the intent has changed since. An intent is
// never removed.
type Journal interface {
	// Begin stores a new intent with the transaction that the slot's Sign returns. It sets ID,
	// Nonce, State, CreatedAt and Attempts. It fails with errors of Agree and Sign, with
	// ErrTaken if another run has taken the request ID since, with *InProgressError, and with
	// ErrUncertain if the journal may or may not have the intent.
	Begin(ctx context.Context, intent *Intent, slot Slot) error

	// Move gives an intent another nonce, once its own is used. It fails as Begin does.
	Move(ctx context.Context, intent *Intent, slot Slot) error

	// Add stores another transaction of an unsettled intent, which is open from then on. The
	// same transaction can be added again. It fails with ErrHeld if the intent was refused and
	// an open or a mined one has its nonce.
	Add(ctx context.Context, intent *Intent, attempt Attempt) error

	// Record stores an intent's outcome. Open and Refused never replace a state with a mined
	// transaction. Refused is stored only for the run that the intent belongs to.
	Record(ctx context.Context, intent *Intent, outcome Outcome) error

	// Reload reads the intent again: other runs may have added transactions, or settled it.
	Reload(ctx context.Context, intent *Intent) error

	// Unsettled returns the account's unsettled intents, the lowest nonce first.
	Unsettled(ctx context.Context, account common.Address) ([]*Intent, error)

	// Dropped returns the account's intents that one of their transactions settled with a nonce
	// which is not below used, the lowest first. Of a node that is not behind, used then shows that
	// their blocks were replaced: they may be mined again.
	Dropped(ctx context.Context, account common.Address, used uint64) ([]*Intent, error)

	// Find returns the intent that a transaction belongs to. It fails with ErrUnknown.
	Find(ctx context.Context, hash common.Hash) (*Intent, error)

	// Adopt makes an intent the caller's own, unless the run that it belongs to is alive or has
	// reported the result.
	Adopt(ctx context.Context, intent *Intent) error
}

var (
	// ErrTaken is returned if another run has just begun an intent with the request ID.
	ErrTaken = errors.New("another run has begun this request")

	// ErrNotOwner is returned to a run whose intent another run has continued.
	ErrNotOwner = errors.New("another run has continued this transaction")

	// ErrUnknown is returned for a transaction that is not in the journal.
	ErrUnknown = errors.New("the journal has no such transaction")

	// ErrAlike is returned for a transaction that another intent of the journal has. Its
	// receipt would settle both.
	ErrAlike = errors.New("another request has signed the same transaction")

	// ErrHeld is returned for a refused intent if an open or a mined one has its nonce.
	ErrHeld = errors.New("another transaction of the account has this nonce now")

	// ErrReplaced matches the errors of a Journal that an older copy has replaced. Retrying
	// does not help.
	ErrReplaced = errors.New("the journal was replaced while it was in use")

	// ErrRequest is returned for a request ID that was used with different arguments.
	ErrRequest = errors.New("the request ID was already used with different arguments")

	// ErrUncertain is returned for an intent that may or may not be in the journal: the store did not
	// answer. None of its transactions was sent.
	ErrUncertain = errors.New("it is not known whether the journal has the transaction")

	// ErrChanged is matched by *ChangedError.
	ErrChanged = errors.New("the journal has another state of this transaction")
)

// ChangedError is an intent that has changed since the caller read it. Reload reads it again.
type ChangedError struct {
	// ID is the intent's. Found is its state now; empty if it is missing.
	ID    string
	Found State
	// Nonce is its nonce now.
	Nonce uint64
}

func (e *ChangedError) Error() string {
	if e.Found == "" {
		return fmt.Sprintf("%v: intent %q is missing", ErrChanged, e.ID)
	}
	return fmt.Sprintf("%v: it is %s, with nonce %d", ErrChanged, e.Found, e.Nonce)
}

func (e *ChangedError) Is(target error) bool { return target == ErrChanged }

// InProgressError is an intent with the same label as the new one, and open or not reported yet.
type InProgressError struct {
	Intent *Intent
	// Dropped reports whether it was mined, and its block replaced since.
	Dropped bool
}

func (e *InProgressError) Error() string {
	if e.Dropped {
		return fmt.Sprintf("transaction %s does the same, and was mined with nonce %d, which is unused now: its block was replaced, or the node is behind: %s", e.Intent.Hash(), e.Intent.Nonce, e.Intent.Label)
	}
	if !e.Intent.State.Unsettled() {
		return fmt.Sprintf("another run of the same command sent transaction %s, and has not reported the result yet: %s", e.Intent.Newest().Hash(), e.Intent.Label)
	}
	if e.Intent.RequestID != "" {
		return fmt.Sprintf("transaction %s, request ID %q, does the same and is not mined yet: %s", e.Intent.Newest().Hash(), e.Intent.RequestID, e.Intent.Label)
	}
	return fmt.Sprintf("another run of the same command sent transaction %s, which is not mined yet: %s", e.Intent.Newest().Hash(), e.Intent.Label)
}

func (e *InProgressError) Hint() string {
	hash := e.Intent.Hash()
	return fmt.Sprintf("wait for it: pmctl tx wait %s; to do the same a second time, pass a --request-id of its own", hash)
}
