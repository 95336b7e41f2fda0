package tx

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Signer signs the transactions of one account.
type Signer interface {
	Address() common.Address
	SignTx(ctx context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error)
}

// Manager is the only way to send transactions. An intent keeps one nonce for life, and each of
// its transactions is in the journal before a node gets it, so that the next run finds it
// whatever happens.
type Manager struct {
	Node    Backend
	Journal Journal
	// Signer signs; nil if nothing is to be signed.
	Signer Signer
}

// Submit signs a prepared call for an intent and sends it to the node. A new intent gets the
// lowest free nonce, a refused one keeps its own, and a lost one, whose nonce another
// transaction used, gets a new one.
//
// It fails with ErrTaken if another run has just begun the same request, with *PendingError and
// ErrUnknownPending if the terms do not allow it, with *InProgressError, and with ErrHeld if
// another intent has the nonce of a refused one; nothing was signed then. With
// *UnknownOutcomeError, *RefusedError and ErrUncertain the transaction may still be mined.
func (m Manager) Submit(ctx context.Context, p *Prepared, intent *Intent, terms Terms) error {
	if intent.State == Refused {
		return m.Replace(ctx, p, intent, KindCall)
	}
	keep := m.Journal.Move
	if intent.ID == "" {
		keep, intent.Account = m.Journal.Begin, p.From
	}
	err := unlike(p, func(p *Prepared) error {
		used, pending, err := m.Node.Nonces(ctx, p.From)
		if err != nil {
			return err
		}
		if err := m.checkDropped(ctx, intent, used); err != nil {
			return err
		}
		return keep(ctx, intent, Slot{Used: used, Pending: pending, Agree: terms.Agree, Sign: func(nonce uint64) (*types.Transaction, error) {
			return m.sign(ctx, p, nonce)
		}})
	})
	if err != nil {
		return err
	}
	return m.Resend(ctx, intent)
}

// checkDropped fails with *InProgressError if an intent without a request ID would repeat one that
// was mined in a block since replaced. That one may be mined again, by the miners or by Resend.
func (m Manager) checkDropped(ctx context.Context, intent *Intent, used uint64) error {
	if intent.RequestID != "" {
		return nil
	}
	dropped, err := m.Journal.Dropped(ctx, intent.Account, used)
	for _, other := range dropped {
		if other.Label == intent.Label && !other.is(intent) {
			return &InProgressError{Intent: other, Dropped: true}
		}
	}
	return err
}

// Replace signs a prepared call with an intent's own nonce, and replaces its pending
// transaction. It fails as Submit does, and with *ChangedError if the intent is settled.
func (m Manager) Replace(ctx context.Context, p *Prepared, intent *Intent, kind Kind) error {
	if p.To == intent.Account && p.Value.IsZero() && len(p.Data) == 0 {
		kind = KindCancel // a bumped cancellation stays one
	}
	err := unlike(p, func(p *Prepared) error {
		signed, err := m.sign(ctx, p, intent.Nonce)
		if err != nil {
			return fmt.Errorf("sign the transaction: %w", err)
		}
		return m.Journal.Add(ctx, intent, Attempt{Tx: signed, Kind: kind, At: time.Now()})
	})
	if err != nil {
		return err
	}
	return m.Resend(ctx, intent)
}

func (m Manager) sign(ctx context.Context, p *Prepared, nonce uint64) (*types.Transaction, error) {
	if m.Signer.Address() != p.From {
		return nil, fmt.Errorf("the transaction was prepared for %s and cannot be signed by %s", p.From, m.Signer.Address())
	}
	return m.Signer.SignTx(ctx, p.Transaction(m.Node.ChainID(), nonce), m.Node.ChainID())
}

// mostAlike is how often a transaction is signed again because another intent has the same one.
const mostAlike = 16

// unlike stores a call whose transaction must not be another intent's. The same call at the same
// price and nonce, which two intents have after a refusal, is the same transaction, and its receipt
// would settle both. A price of one wei less makes it a different one within the same limits.
func unlike(p *Prepared, keep func(*Prepared) error) error {
	other := *p
	for range mostAlike {
		if err := keep(&other); !errors.Is(err, ErrAlike) {
			return err
		}
		other.FeeCap = new(big.Int).Sub(other.FeeCap, big.NewInt(1))
		if other.TipCap.Cmp(other.FeeCap) > 0 {
			other.TipCap = other.FeeCap
		}
	}
	return keep(&other)
}

// Resend sends an intent's newest transaction to the node. It can be repeated: a transaction is
// mined once. It fails as Submit does.
func (m Manager) Resend(ctx context.Context, intent *Intent) error {
	newest := intent.Newest()
	err := m.Node.SendTransaction(ctx, newest)
	if err == nil || isKnown(err) {
		return nil
	}
	unknown := &UnknownOutcomeError{Hash: newest.Hash(), Err: err}
	if !answered(err) {
		return unknown
	}
	// The node refused it, perhaps because it already had it, or another of the same intent.
	known, lookErr := m.knows(ctx, intent)
	if lookErr != nil {
		return unknown
	}
	used, lookErr := m.Node.NonceAt(ctx, intent.Account)
	switch {
	case lookErr != nil:
		return unknown
	case known || used > intent.Nonce:
		return nil // waiting will show the outcome
	}
	// A node's refusal need not be the network's: the intent keeps its nonce and its request ID.
	recordErr := m.Journal.Record(ctx, intent, Outcome{State: Refused, Refusal: err.Error()})
	switch {
	case errors.Is(recordErr, ErrNotOwner), errors.Is(recordErr, ErrChanged):
		return unknown // another run has continued it
	case recordErr != nil:
		return errors.Join(unknown, recordErr)
	}
	return &RefusedError{Hash: newest.Hash(), Nonce: intent.Nonce, Err: err}
}

// knows reports whether the node has any of an intent's transactions.
func (m Manager) knows(ctx context.Context, intent *Intent) (bool, error) {
	for _, attempt := range slices.Backward(intent.Attempts) {
		known, err := m.Node.KnowsTransaction(ctx, attempt.Tx.Hash())
		if err != nil || known {
			return known, err
		}
	}
	return false, nil
}

// alreadyKnown is how nodes answer if the same transaction, by its hash, is in their pool
// already. Their errors have no code for it.
const alreadyKnown = "already known"

func isKnown(err error) bool { return strings.Contains(err.Error(), alreadyKnown) }

// answered tells a node's error answer from a failed connection.
func answered(err error) bool { return errors.As(err, new(rpc.Error)) }

var _ broker.Transactor = Manager{}

// Send is Prepare and Submit for a call that is an intent of its own, beside the account's
// other ones. It fails as they do.
func (m Manager) Send(ctx context.Context, to common.Address, value wei.Wei, data []byte) (*types.Transaction, error) {
	p, err := Prepare(ctx, m.Node, m.Signer.Address(), Call{To: to, Value: value, Data: data}, Caps{})
	if err != nil {
		return nil, err
	}
	intent := &Intent{RequestID: rand.Text(), Label: "call"}
	if err := m.Submit(ctx, p, intent, Terms{WithPending: true}); err != nil {
		return nil, err
	}
	return intent.Newest(), nil
}

// Wait is Await for a transaction of Send.
func (m Manager) Wait(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	intent, err := m.Journal.Find(ctx, hash)
	if err != nil {
		return nil, err
	}
	return m.Await(ctx, intent, AwaitOptions{})
}
