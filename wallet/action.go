package wallet

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/policy"
)

// Action is one transaction to the TicketBroker contract.
type Action struct {
	// label identifies the action: equal actions have equal labels.
	label tx.Label
	// prospect returns the call, and the funding it makes, if they depend on nothing that the node
	// must be asked: the costs are then read together with the status. It is nil if plan decides
	// the call.
	prospect func(account common.Address) (tx.Call, *broker.Funding)
	// plan decides what to send, or refuses.
	plan func(context.Context, situation) (proposal, error)
	// undone reports whether the account shows nothing (any more) of what the action does. Then a
	// transaction that is in a block answers an earlier command, not this one. It is nil if the account
	// cannot show that, and for a funding, which may be gone because it was spent: it is never repeated
	// by itself.
	undone func(broker.Funds) bool
	// report adds what the contract did, by its events, to the result of a mined transaction.
	report reporter
}

// justCall is the prospect of a call without value.
func justCall(data []byte) func(common.Address) (tx.Call, *broker.Funding) {
	return func(common.Address) (tx.Call, *broker.Funding) { return tx.Call{Data: data}, nil }
}

// reporter gets the transaction that was mined, with its receipt.
type reporter func(context.Context, situation, *types.Transaction, *types.Receipt, *Transaction) error

type proposal struct {
	call tx.Call // set after plan if the action has a prospect
	// say describes the effects, one sentence each.
	say []string
	// ask is the question to confirm.
	ask string
}

// same reports whether agreeing to one proposal is agreeing to the other.
func (p proposal) same(q proposal) bool {
	return p.call.To == q.call.To && p.call.Value.Cmp(q.call.Value) == 0 && bytes.Equal(p.call.Data, q.call.Data) &&
		slices.Equal(p.say, q.say) && p.ask == q.ask
}

// reportEvents reports the receipt's events with these names, or all of the contract's. A receipt
// without any shows that the transaction did not do what it was sent for.
func reportEvents(names ...string) reporter {
	return func(_ context.Context, s situation, _ *types.Transaction, receipt *types.Receipt, result *Transaction) error {
		at := s.status.Contracts.TicketBroker
		result.Events = broker.Events(at, receipt.Logs, names...)
		if len(result.Events) == 0 {
			return hint.With(fmt.Errorf("transaction %s was mined, but its receipt has no event of the TicketBroker at %s that shows its effect", result.Hash, at),
				"ask another node: pmctl tx wait %s --rpc-url URL", result.Hash)
		}
		return nil
	}
}

// prepare plans an action, then simulates and prices its call.
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

// Caps returns the limits on a transaction's gas price and fee.
func Caps(limits policy.Limits) tx.Caps {
	return tx.Caps{
		Price: limits.MaxGasPrice, PriceSetIn: limits.Where(policy.MaxGasPrice),
		Fee: limits.MaxFee, FeeSetIn: limits.Where(policy.MaxFee),
	}
}

// Proposal is an action as it would be sent now. The simulation of its call has succeeded.
type Proposal struct {
	*tx.Prepared
	Network chain.Network
	Label   tx.Label
	// Says describes the effects, one sentence each.
	Says []string
}

// Simulate plans, simulates and prices an action. It signs and sends nothing.
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
