package tx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Slot determines a transaction's place among the account's others.
type Slot struct {
	// Used is how many of the account's transactions the chain has, and Pending how many the
	// chain and the node's pool have.
	Used, Pending uint64

	// Agree is called before Sign, with the account's queue. An error ends Begin, and nothing
	// is stored.
	Agree func(Queue) error

	// Sign returns the transaction with a nonce.
	Sign func(nonce uint64) (*types.Transaction, error)
}

// Queue is an account's unsettled transactions when another one is to be signed.
type Queue struct {
	// Nonce is the lowest nonce that is free in the chain and the journal.
	Nonce uint64

	// Open are the intents that may be mined at any time, and Refused those that a node
	// refused, which may still be mined; the lowest nonce first.
	Open, Refused []*Intent

	// Unknown is how many transactions from Nonce on the node counts as pending and the journal
	// does not have.
	Unknown uint64
}

// NewQueue sorts an account's unsettled intents. used and pending are as in Slot; settled is
// the nonce after the last one that the journal has as used, since a node may be behind.
func NewQueue(used, pending, settled uint64, unsettled []*Intent) Queue {
	var q Queue
	held, explained := make(map[uint64]bool), make(map[uint64]bool)
	used = max(used, settled)
	for _, i := range unsettled {
		explained[i.Nonce] = true
		if i.State == Refused {
			// One whose nonce is used can no longer be mined, unless it already is.
			if i.Nonce >= used {
				q.Refused = append(q.Refused, i)
			}
			continue
		}
		q.Open = append(q.Open, i)
		held[i.Nonce] = true
	}
	for q.Nonce = used; held[q.Nonce]; q.Nonce++ {
	}
	if pending > q.Nonce {
		q.Unknown = pending - q.Nonce
	}
	for nonce := range explained {
		if nonce >= q.Nonce && nonce < pending {
			q.Unknown--
		}
	}
	return q
}

// Terms are the user's consent about an account's other transactions.
type Terms struct {
	// WithPending allows a transaction beside open ones: they are mined with it.
	WithPending bool

	// ReplaceUnknown allows it although the node counts pending transactions that pmctl did not
	// sign, one of which it may replace.
	ReplaceUnknown bool

	// Seen are the open intents that the prompt showed; nil allows any.
	Seen []*Intent
}

// Agree fails with *PendingError and ErrUnknownPending for what the user has not consented to.
func (t Terms) Agree(q Queue) error {
	if q.Unknown > 0 && !t.ReplaceUnknown {
		return unknownPending(q.Nonce, q.Unknown)
	}
	if !t.WithPending && len(q.Open) > 0 {
		return &PendingError{Queue: q}
	}
	for _, i := range q.Open {
		if t.Seen != nil && !slices.ContainsFunc(t.Seen, i.is) {
			return &PendingError{Queue: q}
		}
	}
	return nil
}

// is reports whether two are the same intent.
func (i *Intent) is(other *Intent) bool { return i.ID == other.ID }

// PendingError is an account with open transactions, which would be mined together with the new
// one.
type PendingError struct{ Queue Queue }

func (e *PendingError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d earlier transactions of the account are not mined yet, and would be mined together with this one:", len(e.Queue.Open))
	if len(e.Queue.Open) == 1 {
		b.Reset()
		b.WriteString("an earlier transaction of the account is not mined yet, and would be mined together with this one:")
	}
	for n, i := range e.Queue.Open {
		if n > 0 {
			b.WriteString(";")
		}
		fmt.Fprintf(&b, " %s", i.Describe())
	}
	return b.String()
}

func (e *PendingError) Hint() string {
	hash := e.Queue.Open[0].Newest().Hash()
	return fmt.Sprintf("wait for it: pmctl tx wait %s, or replace it with pmctl tx bump or cancel; to send this one too, pass --with-pending", hash)
}

// Describe names an intent with its amount: its label, newest transaction, nonce and the ether
// that it moves.
func (i *Intent) Describe() string {
	return fmt.Sprintf("%s with nonce %d, which moves %s (%s)", i.Hash(), i.Nonce, i.Value(), i.Label)
}

// Value is the ether that an intent's call moves.
func (i *Intent) Value() wei.Wei {
	value, err := wei.FromBig(i.call().Value())
	if err != nil {
		return wei.Wei{} // a transaction's value always fits
	}
	return value
}

// Without returns the queue without an intent, which may be nil.
func (q Queue) Without(intent *Intent) Queue {
	if intent != nil {
		q.Open, q.Refused = slices.DeleteFunc(q.Open, intent.is), slices.DeleteFunc(q.Refused, intent.is)
	}
	return q
}

// ErrUnknownPending is returned for an account with pending transactions, according to the node, that
// neither the chain nor the journal has.
var ErrUnknownPending = errors.New("the node counts pending transactions that pmctl did not sign")

// unknownPending is the ErrUnknownPending of count transactions from nonce, the lowest free one, on.
func unknownPending(nonce, count uint64) error {
	err := fmt.Errorf("the node counts %s of the account from nonce %d on, which pmctl did not sign", words.Count(count, "pending transaction"), nonce)
	return hint.With(hint.Kind(ErrUnknownPending, err),
		"if another wallet sent them, wait until they are mined; if there are none, the node is wrong: pass another --rpc-url, or pass --replace-unknown to use nonce %d, which replaces a pending transaction with it", nonce)
}
