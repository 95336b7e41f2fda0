package redeem

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Ticket is a ticket and what becomes of it.
type Ticket struct {
	*pm.SignedTicket

	// Err is why the ticket is not redeemed; nil for one that can be or is. It matches
	// pm.ErrNotWinning, the reasons of pm.Validator, *contract.RevertError, *WorthError or
	// ErrPassedOver.
	Err error

	// Pays is what the contract would pay as of Judge, and what it paid as of Settle,
	// in wei.
	Pays wei.Wei

	// Redeemed tells that a transaction has redeemed the ticket.
	Redeemed bool

	gas uint64
}

// isCommon reports whether an error is the whole batch's and not one ticket's.
func isCommon(err error) bool {
	var field *pm.FieldError
	return errors.Is(err, pm.ErrRecipientRand) || errors.As(err, &field)
}

// Tickets are a batch's tickets, in the batch's order.
type Tickets []*Ticket

// Draw tells which tickets of a batch won. It fails with pm.ErrRecipientRand when
// recipientRand is not what the batch's recipientRandHash commits to, with
// *pm.FieldError for fields that do not fit, and with ctx's error.
func Draw(ctx context.Context, batch *pm.TicketBatch, recipientRand *big.Int) (Tickets, error) {
	validator := pm.NewValidator(&pm.DefaultSigVerifier{}, nil)
	var drawn Tickets
	seen := make(map[uint32]bool, len(batch.SenderParams))
	for i, ticket := range batch.Tickets() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		sig := batch.SenderParams[i].Sig
		err := validator.ValidateTicket(ticket.Recipient, ticket, sig, recipientRand)
		if isCommon(err) {
			return nil, err
		}
		switch {
		case err != nil:
		case !validator.IsWinningTicket(ticket, sig, recipientRand):
			err = pm.ErrNotWinning
		case seen[ticket.SenderNonce]:
			err = ErrTwice
		}
		seen[ticket.SenderNonce] = true
		signed := &pm.SignedTicket{Ticket: ticket, Sig: sig, RecipientRand: recipientRand}
		drawn = append(drawn, &Ticket{SignedTicket: signed, Err: err})
	}
	return drawn, nil
}

// Left returns the tickets that nothing speaks against.
func (ts Tickets) Left() Tickets {
	var left Tickets
	for _, t := range ts {
		if t.Err == nil {
			left = append(left, t)
		}
	}
	return left
}

// Pays returns what the tickets pay together, in wei.
func (ts Tickets) Pays() (wei.Wei, error) {
	var sum wei.Wei
	for _, t := range ts {
		var err error
		if sum, err = sum.Add(t.Pays); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// Node is what judging asks of a chain; *chain.Client is one.
type Node interface {
	Contracts(ctx context.Context) (chain.Contracts, error)
	Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error)
	Claimable(ctx context.Context, sender, recipient common.Address) (*big.Int, error)
	EstimateEach(ctx context.Context, calls []ethereum.CallMsg) ([]chain.Estimate, error)
	SuggestGasPrice(ctx context.Context) (*big.Int, error)
}

// Policy is what the user lets pass.
type Policy struct {
	// Early lets winners be redeemed before their params expire.
	Early bool
	// AtALoss lets winners be redeemed that bring no more than their gas costs.
	AtALoss bool
}

// Judge asks the chain what it would say to each ticket that is left, if from redeemed
// it, and sets Err and Pays. All of the tickets are of one sender and recipient, as in
// a batch. It fails with *EarlyError, and when the chain cannot be read.
func (ts Tickets) Judge(ctx context.Context, node Node, from common.Address, policy Policy) error {
	left := ts.Left()
	if len(left) == 0 {
		return nil
	}
	sender, recipient := left[0].Sender, left[0].Recipient
	facts, err := node.Facts(ctx, sender)
	if err != nil {
		return err
	}
	if expires := left[0].ParamsExpirationBlock; !policy.Early && facts.LastSeenL1Block.Cmp(expires) < 0 {
		return &EarlyError{Now: facts.LastSeenL1Block, Expires: expires}
	}
	if err := left.estimate(ctx, node, from); err != nil {
		return err
	}
	claimable, err := node.Claimable(ctx, sender, recipient)
	if err != nil {
		return err
	}
	suggested, err := node.SuggestGasPrice(ctx)
	if err != nil {
		return err
	}
	price, err := wei.FromBig(suggested)
	if err != nil {
		return err
	}
	return left.Left().weigh(facts.Sender.Deposit, claimable, price, policy)
}

// estimate has the chain try each ticket by itself.
func (ts Tickets) estimate(ctx context.Context, node Node, from common.Address) error {
	contracts, err := node.Contracts(ctx)
	if err != nil {
		return err
	}
	calls := make([]ethereum.CallMsg, len(ts))
	for i, t := range ts {
		data, err := Tickets{t}.pack()
		if err != nil {
			return err
		}
		calls[i] = ethereum.CallMsg{From: from, To: &contracts.TicketBroker, Data: data}
	}
	estimates, err := node.EstimateEach(ctx, calls)
	if err != nil {
		return err
	}
	for i, t := range ts {
		t.gas, t.Err = estimates[i].Gas, estimates[i].Err
		var refused *contract.RevertError
		if t.Err != nil && !errors.As(t.Err, &refused) || errors.Is(t.Err, contract.ErrNotInitialized) {
			return t.Err // no fault of this ticket
		}
	}
	return nil
}

// weigh follows the contract's arithmetic from ticket to ticket: the deposit pays a
// face value, and what the deposit is short of comes from the reserve as far as the
// recipient can claim it.
func (ts Tickets) weigh(deposit, claimable *big.Int, price wei.Wei, policy Policy) error {
	deposit, claimable = new(big.Int).Set(deposit), new(big.Int).Set(claimable)
	for _, t := range ts {
		fromDeposit := num.Min(t.FaceValue, deposit)
		fromReserve := num.Min(new(big.Int).Sub(t.FaceValue, fromDeposit), claimable)
		var err error
		if t.Pays, err = wei.FromBig(new(big.Int).Add(fromDeposit, fromReserve)); err != nil {
			return err
		}
		cost, err := price.Mul(t.gas)
		if err != nil {
			return err
		}
		if t.Pays.Cmp(cost) <= 0 && !policy.AtALoss {
			t.Err = &WorthError{Pays: t.Pays, Cost: cost}
			continue
		}
		deposit.Sub(deposit, fromDeposit)
		claimable.Sub(claimable, fromReserve)
	}
	return nil
}

// Gas that a ticket of a batch may need beyond its own estimate, which is made as if it
// came first: a later one may be the first to draw on the reserve.
const reserveGas = 100_000

// Call returns the transaction that redeems all of the tickets. A batch has a gas limit
// of its own: a node's estimate is the least with which the transaction succeeds, and a
// batch succeeds whether or not its tickets do.
func (ts Tickets) Call(at common.Address) (tx.Call, error) {
	data, err := ts.pack()
	if err != nil {
		return tx.Call{}, err
	}
	call := tx.Call{To: at, Data: data}
	if len(ts) > 1 {
		for _, t := range ts {
			call.Gas += t.gas + t.gas/5 + reserveGas
		}
	}
	return call, nil
}

func (ts Tickets) pack() ([]byte, error) {
	signed := make([]*pm.SignedTicket, len(ts))
	for i, t := range ts {
		signed[i] = t.SignedTicket
	}
	data, err := broker.Redeem(signed...)
	if err != nil {
		return nil, fmt.Errorf("encode the tickets: %w", err)
	}
	return data, nil
}
