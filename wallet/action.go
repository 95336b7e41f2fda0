package wallet

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/policy"
)

// Action is something to do with the TicketBroker contract, in one transaction.
type Action struct {
	// label says what: the same thing has the same label.
	label tx.Label
	// prospect is what an account is to call, with what that is to fund, where it depends on
	// nothing that has to be asked: the costs are then asked for together with the status. It
	// is nil where plan says what to call.
	prospect func(account common.Address) (tx.Call, *broker.Funding)
	// plan decides what to send, or refuses.
	plan func(context.Context, situation) (proposal, error)
	// report adds what the contract says that it did to the result of a transaction that
	// was mined.
	report reporter
}

// justCall is the prospect of a call that moves no ether to the contract.
func justCall(data []byte) func(common.Address) (tx.Call, *broker.Funding) {
	return func(common.Address) (tx.Call, *broker.Funding) { return tx.Call{Data: data}, nil }
}

type reporter func(context.Context, situation, *types.Receipt, *Transaction) error

// proposal is a transaction that may be sent.
type proposal struct {
	call tx.Call // set after plan for an action that has a prospect
	// say is what it will do: a sentence each.
	say []string
	// ask is the question that a person answers.
	ask string
}

// same tells whether a user who agreed to one proposal has agreed to the other.
func (p proposal) same(q proposal) bool {
	return p.call.To == q.call.To && p.call.Value.Cmp(q.call.Value) == 0 && bytes.Equal(p.call.Data, q.call.Data) &&
		slices.Equal(p.say, q.say) && p.ask == q.ask
}

// reportEvents reports the receipt's events of these names, or of all calls where there are
// none. A transaction without any has not done what it was sent for, as far as this node shows.
func reportEvents(names ...string) reporter {
	return func(_ context.Context, s situation, receipt *types.Receipt, result *Transaction) error {
		at := s.status.Contracts.TicketBroker
		result.Events = broker.Events(at, receipt.Logs, names...)
		if len(result.Events) == 0 {
			return &NoEventError{Hash: result.Hash, TicketBroker: at}
		}
		return nil
	}
}

// NoEventError is a mined transaction whose receipt shows nothing of what it was sent for.
type NoEventError struct {
	Hash         common.Hash
	TicketBroker common.Address
}

func (e *NoEventError) Error() string {
	return fmt.Sprintf("transaction %s was mined, but its receipt has no event of the TicketBroker at %s that says what it did", e.Hash, e.TicketBroker)
}

// Hint says how to find out more.
func (e *NoEventError) Hint() string {
	return fmt.Sprintf("look at it through another node: pmctl tx wait %s --rpc-url URL; to send another transaction all the same, pass a new --request-id", e.Hash)
}

// prepare has an action decide what to send, and simulates and prices it.
func (w *Wallet) prepare(ctx context.Context, s situation, a Action) (*tx.Prepared, proposal, error) {
	if err := s.client.UpToDate(s.status.Head); err != nil {
		return nil, proposal{}, err
	}
	if s.status.Paused {
		return nil, proposal{}, &contract.RevertError{Reason: contract.ErrPaused.Error()}
	}
	p, err := a.plan(ctx, s)
	if err != nil {
		return nil, p, err
	}
	if a.prospect == nil {
		prepared, err := tx.Prepare(ctx, s.client, s.account, p.call, Caps(w.Limits))
		return prepared, p, err
	}
	if err := s.outlook.Unfunded; err != nil {
		return nil, p, err
	}
	p.call, _ = a.prospect(s.account)
	p.call.To = s.status.Contracts.TicketBroker
	prepared, err := tx.PrepareQuoted(ctx, s.client, s.account, p.call, s.outlook.Quote, Caps(w.Limits))
	return prepared, p, err
}

// Caps are the limits that transactions have.
func Caps(limits policy.Limits) tx.Caps {
	return tx.Caps{
		Price: limits.MaxGasPrice, PriceSetIn: limits.Where(policy.MaxGasPrice),
		Fee: limits.MaxFee, FeeSetIn: limits.Where(policy.MaxFee),
	}
}

// Proposal is an action as it would be sent now, which the contract would take.
type Proposal struct {
	*tx.Prepared
	Network chain.Network
	Label   tx.Label
	// Says is what it would do, a sentence each.
	Says []string
}

// Simulate finds out what an action would send and cost. Nothing is signed.
func (w *Wallet) Simulate(ctx context.Context, a Action) (*Proposal, error) {
	if w.Account == nil {
		return nil, ErrNoAccount
	}
	ctx, cancel := w.bound(ctx)
	defer cancel()
	s, err := w.lookFor(ctx, w.Account.Address(), a)
	if err != nil {
		return nil, err
	}
	prepared, p, err := w.prepare(ctx, s, a)
	if err != nil {
		return nil, err
	}
	return &Proposal{Prepared: prepared, Network: s.client.Network(), Label: a.label, Says: p.say}, nil
}
