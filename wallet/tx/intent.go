package tx

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Intent is one thing that an account wants done on the chain, once. It holds one nonce:
// whatever is sent for it, at most one transaction can be mined.
type Intent struct {
	// ID is the journal's name for it.
	ID string

	// Account is who acts, and Nonce the transaction nonce.
	Account common.Address
	Nonce   uint64

	// RequestID is the user's own name for the intent; empty when there is none.
	RequestID string

	// Label says what it does: the same label is the same thing to do.
	Label string

	// State is what became of it as far as it is known, and SettledBy the transaction
	// that settled it; zero when none of the journal's did.
	State     State
	SettledBy common.Hash

	// CreatedAt is when its first transaction was signed.
	CreatedAt time.Time

	// Attempts are the transactions signed for it, the oldest first. Any of them may
	// still be mined while the intent is open.
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
	KindCancel Kind = "cancel" // nothing, in the place of the call
)

// State is what became of an intent.
type State string

// The states of intents.
const (
	// Open is an intent of which a transaction may still be mined.
	Open State = "open"
	// Mined is one whose call was mined, and succeeded.
	Mined State = "mined"
	// Reverted is one whose call was mined, and failed.
	Reverted State = "reverted"
	// Cancelled is one in whose place nothing was mined.
	Cancelled State = "cancelled"
	// Lost is one whose nonce another transaction took, of which the journal does not
	// know: none of its own can be mined any more.
	Lost State = "lost"
)

// Newest returns the newest attempt, which has the highest price.
func (i *Intent) Newest() *types.Transaction { return i.Attempts[len(i.Attempts)-1].Tx }

// attempt returns the attempt whose transaction has a hash, which is one of the intent's.
func (i *Intent) attempt(hash common.Hash) Attempt {
	for _, a := range i.Attempts {
		if a.Tx.Hash() == hash {
			return a
		}
	}
	return Attempt{}
}

// Journal is where transactions are kept, durably, before anybody can send them.
type Journal interface {
	// Resume returns the intent that a command goes on with; nil when it is another one.
	// A request id names an intent for ever. Without one, a command goes on with what
	// the same command began in a run that died, or ended without knowing how it went.
	// It fails with *RequestError for an id that named something else.
	Resume(ctx context.Context, account common.Address, requestID, label string) (*Intent, error)

	// Begin keeps a new intent with the transaction that sign returns for the nonce that
	// it is given: the lowest from pending on that no intent of the account holds. It
	// sets ID, Nonce, CreatedAt and Attempts. When another run has taken the request id
	// meanwhile it fails with ErrTaken.
	Begin(ctx context.Context, intent *Intent, pending uint64, sign func(nonce uint64) (*types.Transaction, error)) error

	// Add keeps another transaction for an open intent.
	Add(ctx context.Context, intent *Intent, attempt Attempt) error

	// Settle records what became of an intent.
	Settle(ctx context.Context, intent *Intent, state State, by common.Hash) error

	// Forget removes an intent that no node has taken.
	Forget(ctx context.Context, intent *Intent) error

	// Between returns the account's intents with nonces from from to before to, in order.
	Between(ctx context.Context, account common.Address, from, to uint64) ([]*Intent, error)

	// End records that the run which worked on an intent ends, and whether it knows how
	// that went.
	End(ctx context.Context, intent *Intent, known bool) error
}

// ErrTaken is returned when a request id has just got its intent from another run.
var ErrTaken = errors.New("another run has begun this request")

// RequestError is a request id that names something else than before.
type RequestError struct {
	// ID is the request id, and Label what it was used for.
	ID, Label string
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("request id %q was used before, for something else: %s", e.ID, e.Label)
}

// Hint says what to do.
func (e *RequestError) Hint() string { return "an id names one intent for ever: choose another" }
