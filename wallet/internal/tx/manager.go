package tx

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
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

// Manager is the one way to send transactions. An intent keeps one nonce for its whole life,
// and each of its transactions is in the journal before a node gets it, so that whatever
// happens from then on, the next run finds it.
type Manager struct {
	Node    Backend
	Journal Journal

	// Signer signs; nil where nothing is to be signed.
	Signer Signer
}

// Submit signs a prepared call for an intent and hands it to the node: for a new intent with
// the lowest nonce that is free, for one that a node refused with the intent's own, and with
// another for one that is lost, whose nonce a transaction of others used up.
//
// It fails with ErrTaken when another run has just begun the same request, with
// *PendingError and *UnknownPendingError for what the terms do not allow, with
// *InProgressError, and with ErrHeld where another intent has the nonce of a refused one;
// nothing was signed then. With *UnknownOutcomeError, *RefusedError and *UncertainError the
// transaction may still be mined.
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
		return keep(ctx, intent, Slot{Used: used, Pending: pending, Agree: terms.Agree, Sign: func(nonce uint64) (*types.Transaction, error) {
			return m.sign(ctx, p, nonce)
		}})
	})
	if err != nil {
		return err
	}
	return m.Resend(ctx, intent)
}

// Replace signs a prepared call with an intent's own nonce, in the place of what may wait with
// it. It fails as Submit does, and with *ChangedError when the intent is settled.
func (m Manager) Replace(ctx context.Context, p *Prepared, intent *Intent, kind Kind) error {
	if p.To == intent.Account && p.Value.IsZero() && len(p.Data) == 0 {
		kind = KindCancel // a bumped cancellation is one, too
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

// mostAlike is how often a transaction is signed anew that another intent has already.
const mostAlike = 16

// unlike keeps a call whose transaction must be no other intent's. The same call at the same
// price and nonce, which two intents have after a refusal, is the very same transaction:
// what is mined of it would be taken for both. A wei less for a unit of gas makes it another
// one, and breaks no limit.
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

// Resend hands an intent's newest transaction to the node. It can be done any number of times:
// a transaction is mined once. It fails as Submit does.
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
	// The node refused. That may be since it had got the transaction before, or another
	// of the same intent.
	known, lookErr := m.knows(ctx, intent)
	if lookErr != nil {
		return unknown
	}
	used, lookErr := m.Node.NonceAt(ctx, intent.Account)
	switch {
	case lookErr != nil:
		return unknown
	case known || used > intent.Nonce:
		return nil // waiting finds out what became of it
	}
	// What a node says of a transaction is not known to be the network's word: the
	// intent stays, with its nonce and its request id.
	recordErr := m.Journal.Record(ctx, intent, Outcome{State: Refused, Refusal: err.Error()})
	switch {
	case errors.Is(recordErr, ErrNotOwner), errors.Is(recordErr, ErrChanged):
		return unknown // another run has continued it
	case recordErr != nil:
		return errors.Join(unknown, recordErr)
	}
	return &RefusedError{Hash: newest.Hash(), Nonce: intent.Nonce, Err: err}
}

// knows tells whether the node has any of an intent's transactions.
func (m Manager) knows(ctx context.Context, intent *Intent) (bool, error) {
	for i := len(intent.Attempts) - 1; i >= 0; i-- {
		known, err := m.Node.KnowsTransaction(ctx, intent.Attempts[i].Tx.Hash())
		if err != nil || known {
			return known, err
		}
	}
	return false, nil
}

// alreadyKnown is what nodes answer when the very same transaction, by its hash,
// waits in their pool already. Their errors have no code for it.
const alreadyKnown = "already known"

func isKnown(err error) bool { return strings.Contains(err.Error(), alreadyKnown) }

// answered tells whether an error is a node's own answer and not the connection's.
func answered(err error) bool {
	var fromNode rpc.Error
	return errors.As(err, &fromNode)
}

var _ broker.Transactor = Manager{}

// Send is Prepare and Submit for a call that is an intent of its own, beside whatever the
// account has under way. It fails as they do.
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

// Wait is Await for a transaction that Send has sent.
func (m Manager) Wait(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	intent, err := m.Journal.Find(ctx, hash)
	if err != nil {
		return nil, err
	}
	return m.Await(ctx, intent, AwaitOptions{})
}
