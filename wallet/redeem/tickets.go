package redeem

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Ticket is a ticket and its result.
type Ticket struct {
	*pm.SignedTicket

	// Err is why the ticket is not redeemed; nil if it can be or is. It matches pm.ErrNotWinning,
	// the reasons of pm.Validator, *contract.RevertError, ErrTwice, ErrNotWorthGas or
	// ErrPassedOver.
	Err error

	// Pays is what the contract would pay, as of Judge, or has paid, as of Settle, in wei.
	Pays wei.Wei

	Redeemed bool

	gas uint64
}

// Tickets are the tickets of a batch, in its order.
type Tickets []*Ticket

// Draw finds the winning tickets of a batch. It returns pm.ErrRecipientRand if recipientRand does
// not match the batch's recipientRandHash, *pm.FieldError for fields that do not fit, and ctx's
// error.
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
		switch {
		case errors.Is(err, pm.ErrRecipientRand), errors.As(err, new(*pm.FieldError)):
			return nil, err // which concerns the whole batch
		case err != nil:
		case !validator.IsWinningTicket(ticket, sig, recipientRand):
			err = pm.ErrNotWinning
		case seen[ticket.SenderNonce]:
			err = ErrTwice
		default:
			seen[ticket.SenderNonce] = true
		}
		signed := &pm.SignedTicket{Ticket: ticket, Sig: sig, RecipientRand: recipientRand}
		drawn = append(drawn, &Ticket{SignedTicket: signed, Err: err})
	}
	return drawn, nil
}

// Left returns the tickets without an Err.
func (ts Tickets) Left() Tickets {
	return slices.DeleteFunc(slices.Clone(ts), func(t *Ticket) bool { return t.Err != nil })
}

// Pays returns the sum that the tickets pay, in wei.
func (ts Tickets) Pays() (sum wei.Wei, err error) {
	for _, t := range ts {
		if sum, err = sum.Add(t.Pays); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// Node is what Judge reads; *chain.Client implements it.
type Node interface {
	Contracts(ctx context.Context) (chain.Contracts, error)
	Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error)
	Claimable(ctx context.Context, sender, recipient common.Address) (*big.Int, error)
	EstimateEach(ctx context.Context, calls []ethereum.CallMsg) ([]chain.Estimate, error)
	SuggestGasPrice(ctx context.Context) (*big.Int, error)
}

// Policy is what the user allows.
type Policy struct {
	// Early allows redeeming winners before their params expire.
	Early bool
	// AtALoss allows redeeming winners that pay no more than their gas costs.
	AtALoss bool
}

// Judge asks the chain about each ticket without an Err, if from redeemed it, and sets Err and
// Pays. All tickets have one sender and recipient, as in a batch. It returns ErrTooEarly, and the
// chain's errors.
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
	if expires := num.OrZero(left[0].ParamsExpirationBlock); !policy.Early && facts.LastSeenL1Block.Cmp(expires) < 0 {
		return hint.With(hint.Kind(ErrTooEarly, fmt.Errorf("the ticket params expire at L1 block %v, and the newest block is %v: a redemption would publish recipientRand while it is still in use",
			expires, facts.LastSeenL1Block)), "wait for that block, or pass --early if you accept no more tickets on these params")
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

// estimate simulates each ticket separately.
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
		if t.Err != nil && !errors.As(t.Err, new(*contract.RevertError)) || errors.Is(t.Err, contract.ErrNotInitialized) {
			return t.Err // not caused by this ticket
		}
	}
	return nil
}

// weigh repeats the contract's arithmetic from ticket to ticket: the deposit pays a face value, and
// the reserve what the deposit lacks, as far as the recipient can claim.
func (ts Tickets) weigh(deposit, claimable *big.Int, price wei.Wei, policy Policy) error {
	deposit, claimable = new(big.Int).Set(deposit), new(big.Int).Set(claimable)
	for _, t := range ts {
		faceValue := num.OrZero(t.FaceValue)
		fromDeposit := num.Min(faceValue, deposit)
		fromReserve := num.Min(new(big.Int).Sub(faceValue, fromDeposit), claimable)
		var err error
		if t.Pays, err = wei.FromBig(new(big.Int).Add(fromDeposit, fromReserve)); err != nil {
			return err
		}
		cost, err := price.Mul(t.gas)
		if err != nil {
			return err
		}
		if t.Pays.Cmp(cost) <= 0 && !policy.AtALoss {
			t.Err = hint.With(fmt.Errorf("%w: it pays %s, but costs about %s", ErrNotWorthGas, t.Pays, cost), "wait for a lower gas price, or pass --at-a-loss")
			continue
		}
		deposit.Sub(deposit, fromDeposit)
		claimable.Sub(claimable, fromReserve)
	}
	return nil
}

// Gas that a ticket in a batch may need beyond its own estimate, which assumes that it comes first:
// a later one may be the first to draw on the reserve.
const reserveGas = 100_000

// Call returns the transaction that redeems all of the tickets. A batch has its own gas limit: a
// node's estimate is the least with which the transaction succeeds, and a batch succeeds even if
// its tickets do not.
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

var (
	// ErrNothing is returned if no ticket can be redeemed.
	ErrNothing = errors.New("no ticket can be redeemed")
	// ErrTwice is returned for a duplicate ticket in a batch.
	ErrTwice = errors.New("the batch has this ticket twice")
	// ErrPassedOver is returned if the contract paid only some tickets of a batch.
	ErrPassedOver = errors.New("the contract passed over a ticket")
	// ErrNotWorthGas is returned for a ticket that pays no more than its redemption costs.
	ErrNotWorthGas = errors.New("redemption is not worth its gas")
	// ErrTooEarly is returned for a redemption while the recipient may still accept tickets on the
	// same params. It would publish recipientRand, which tells the sender in advance which tickets
	// win.
	ErrTooEarly = errors.New("the ticket params have not expired yet")
)
