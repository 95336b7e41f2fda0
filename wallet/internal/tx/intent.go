package tx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Intent is one thing that an account wants done on the chain, once. It keeps one nonce,
// so that at most one of its transactions can be mined. It gets another nonce only after
// the chain has shown that a transaction of another intent used the first one up.
type Intent struct {
	// ID is the journal's name for it.
	ID string

	// Account is the sender, and Nonce its transaction nonce.
	Account common.Address
	Nonce   uint64

	// RequestID is the user's own name for the intent; empty when there is none.
	RequestID string

	// Label says what it does: intents with the same label do the same thing.
	Label Label

	// State is what became of it as far as it is known, and SettledBy the transaction
	// that settled it; zero when none did.
	State     State
	SettledBy common.Hash

	// Refusal is what a node said when it refused the newest transaction, for people.
	Refusal string

	// CreatedAt is when its first transaction was signed.
	CreatedAt time.Time

	// Attempts are the transactions signed for it, the oldest first. Any of them may
	// still be mined while the intent is not settled.
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
	KindCall   Kind = "call"   // what the intent is about
	KindBump   Kind = "bump"   // the same at a higher price
	KindCancel Kind = "cancel" // an empty transaction that replaces the call
)

// State is what became of an intent.
type State string

// The states of intents.
const (
	// Open is an intent of which a transaction may be mined at any time. It holds its
	// nonce.
	Open State = "open"
	// Refused is one whose newest transaction a node refused, and of which that node had
	// no other. Another node may have taken it, so it may still be mined; but other
	// intents may use its nonce.
	Refused State = "refused"
	// Mined is one whose call was mined, and succeeded.
	Mined State = "mined"
	// Reverted is one whose call was mined, and failed.
	Reverted State = "reverted"
	// Cancelled is one that an empty transaction replaced.
	Cancelled State = "cancelled"
	// Lost is one whose nonce was used by a transaction of another intent, or of another
	// program. It can be signed again, with another nonce.
	Lost State = "lost"
)

// Unsettled tells whether a transaction of the intent may still be mined.
func (s State) Unsettled() bool { return s == Open || s == Refused }

// Outcome is what a run found out about an intent.
type Outcome struct {
	State State
	// By is the transaction that settled it; zero for none of its own.
	By common.Hash
	// Refusal is what the node said, for Refused.
	Refusal string
}

// Newest returns the newest attempt, which has the highest price.
func (i *Intent) Newest() *types.Transaction { return i.Attempts[len(i.Attempts)-1].Tx }

// Hash is that of the transaction which settled the intent, else the newest's.
func (i *Intent) Hash() common.Hash {
	if i.SettledBy != (common.Hash{}) {
		return i.SettledBy
	}
	return i.Newest().Hash()
}

// Has tells whether a transaction is one of the intent's.
func (i *Intent) Has(hash common.Hash) bool { return i.attempt(hash).Tx != nil }

// attempt returns the attempt whose transaction has a hash, an empty one for none.
func (i *Intent) attempt(hash common.Hash) Attempt {
	for _, a := range i.Attempts {
		if a.Tx.Hash() == hash {
			return a
		}
	}
	return Attempt{}
}

// call returns the newest transaction that does what the intent is about.
func (i *Intent) call() *types.Transaction {
	for n := len(i.Attempts) - 1; n > 0; n-- {
		if i.Attempts[n].Kind != KindCancel {
			return i.Attempts[n].Tx
		}
	}
	return i.Attempts[0].Tx
}

// Journal is where transactions are kept, durably, before a node gets them. Each
// change names the state in which the caller has seen the intent, by the intent that it
// passes, and fails with *ChangedError when that is no longer so. An intent is never
// removed.
type Journal interface {
	// Begin keeps a new intent with the transaction that the slot's Sign returns. It
	// sets ID, Nonce, State, CreatedAt and Attempts. It fails with what Agree and Sign
	// fail with, with ErrTaken when another run has taken the request id meanwhile, with
	// *InProgressError, and with *UncertainError when the journal may have the intent
	// and may not.
	Begin(ctx context.Context, intent *Intent, slot Slot) error

	// Move gives an intent another nonce, once its own is used up. It fails as Begin
	// does.
	Move(ctx context.Context, intent *Intent, slot Slot) error

	// Add keeps another transaction for an unsettled intent, which is open from then on.
	// The same transaction can be added again. It fails with ErrHeld where the intent was
	// refused and an open one has its nonce.
	Add(ctx context.Context, intent *Intent, attempt Attempt) error

	// Record keeps what became of an intent. Lost never takes the place of a state that
	// names a mined transaction. Refused is kept only for the run that the intent
	// belongs to.
	Record(ctx context.Context, intent *Intent, outcome Outcome) error

	// Reload reads the intent again: other runs may have added transactions, or settled
	// it.
	Reload(ctx context.Context, intent *Intent) error

	// Unsettled returns the account's intents of which a transaction may still be mined,
	// the lowest nonce first.
	Unsettled(ctx context.Context, account common.Address) ([]*Intent, error)

	// Find returns the intent that a transaction belongs to. It fails with ErrUnknown.
	Find(ctx context.Context, hash common.Hash) (*Intent, error)

	// Adopt makes an intent the caller's own, unless the run that it belongs to is alive,
	// or has reported how it went.
	Adopt(ctx context.Context, intent *Intent) error
}

var (
	// ErrTaken is returned when a request id has just got its intent from another run.
	ErrTaken = errors.New("another run has begun this request")

	// ErrNotOwner is returned to a run whose intent another run has continued.
	ErrNotOwner = errors.New("another run has continued this transaction")

	// ErrUnknown is returned for a transaction that is not in the journal.
	ErrUnknown = errors.New("the journal does not know this transaction")

	// ErrAlike is returned for a transaction that another intent of the journal has. What is
	// mined of it would be taken for both.
	ErrAlike = errors.New("another request has signed the very same transaction")

	// ErrHeld is returned for a refused intent whose nonce an open one has.
	ErrHeld = errors.New("another transaction of the account has this nonce now")

	// ErrReplaced is matched by what a Journal fails with when it is no longer the one
	// that it was: an older copy is in its place. Waiting does not help.
	ErrReplaced = errors.New("the journal was replaced while it was in use")

	// ErrChanged is matched by *ChangedError.
	ErrChanged = errors.New("the journal has another state of this transaction")
)

// ChangedError is an intent that was changed since the caller has read it. Reload reads
// it again.
type ChangedError struct {
	// ID is the intent's. Found is its state now; empty when it is not there any more.
	ID    string
	Found State
	// Nonce is its nonce now.
	Nonce uint64
}

func (e *ChangedError) Error() string {
	if e.Found == "" {
		return fmt.Sprintf("%v: intent %q is gone", ErrChanged, e.ID)
	}
	return fmt.Sprintf("%v: it is %s, with nonce %d", ErrChanged, e.Found, e.Nonce)
}

// Is matches ErrChanged.
func (e *ChangedError) Is(target error) bool { return target == ErrChanged }

// RequestError is a request id that names something else than before.
type RequestError struct {
	// ID is the request id, and Label what it was used for.
	ID    string
	Label Label
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("request ID %q was already used with different arguments: %s", e.ID, e.Label)
}

// Hint says what to do.
func (e *RequestError) Hint() string {
	return "a request ID names one transaction for ever: choose another"
}

// InProgressError is an intent that does what another one was to do, and is open or not
// reported yet.
type InProgressError struct{ Intent *Intent }

func (e *InProgressError) Error() string {
	if !e.Intent.State.Unsettled() {
		return fmt.Sprintf("another run of the same command sent transaction %s, and has not reported yet how it went: %s", e.Intent.Newest().Hash(), e.Intent.Label)
	}
	if e.Intent.RequestID != "" {
		return fmt.Sprintf("transaction %s, request ID %q, does the same and is not mined yet: %s", e.Intent.Newest().Hash(), e.Intent.RequestID, e.Intent.Label)
	}
	return fmt.Sprintf("another run of the same command sent transaction %s, which is not mined yet: %s", e.Intent.Newest().Hash(), e.Intent.Label)
}

// Hint says what to do.
func (e *InProgressError) Hint() string {
	hash := e.Intent.Newest().Hash()
	return fmt.Sprintf("wait for it: pmctl tx wait %s; to do the same a second time, pass a --request-id of its own", hash)
}

// UncertainError is an intent that may be in the journal and may not: the store did not
// answer. None of its transactions was sent.
type UncertainError struct {
	// Hash names its transaction, and Label says what that does.
	Hash  common.Hash
	Nonce uint64
	Label Label
	// Err is why it is not known.
	Err error
}

func (e *UncertainError) Error() string {
	return fmt.Sprintf("it is not known whether the journal has transaction %s, nonce %d (%s); it was not sent: %v", e.Hash, e.Nonce, e.Label, e.Err)
}

// Unwrap returns why it is not known.
func (e *UncertainError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *UncertainError) Hint() string {
	return fmt.Sprintf("run the same command again: if the journal has it, it continues it; pmctl tx list shows it, pmctl tx cancel %s cancels it", e.Hash)
}
