package nodes

import (
	"context"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Quote is a node's data for a call before it is sent. It comes from one request, so that it is
// from one node and one moment.
type Quote struct {
	Head Head

	// Balance is the caller's balance, in wei.
	Balance *big.Int

	// Price is the suggested price per unit of gas, and Tip the part of it above the base fee,
	// in wei. A chain with a base fee has a tip, others have a price; the other one is nil.
	// PriceErr is why the node has neither.
	Price, Tip *big.Int
	PriceErr   error

	// Gas is the call's gas, GasErr a *RevertError if the contract reverts, or another error of
	// the node. Both are zero without a call.
	Gas    uint64
	GasErr error
}

// Quote quotes a call of an account, or only prices if the call has no To. It fails if the node
// cannot be asked.
func (c *Client) Quote(ctx context.Context, call ethereum.CallMsg) (*Quote, error) {
	b, q := new(Batch), new(Quoting)
	b.Quote(call.From, q)
	b.Cost(call, q)
	if err := c.Do(ctx, b); err != nil {
		return nil, err
	}
	return c.Quoted(ctx, q), nil
}

// Quoting is a quote as the node answers it.
type Quoting struct {
	head    Head
	balance hexutil.Big
	call    Estimate
	// The tip and the whole price, in wei per unit of gas. Some nodes lack one of them.
	tip, price     hexutil.Big
	noTip, noPrice error
}

var errNotAsked = errors.New("the node was not asked for a tip")

// Quote appends the reads of every quote: the newest block, an account's balance and the gas price.
func (b *Batch) Quote(account common.Address, into *Quoting) {
	b.Head(&into.head)
	b.Add("eth_getBalance", &into.balance, account, "latest")
	b.try(&into.noPrice, "eth_gasPrice", &into.price)
	into.noTip = errNotAsked
}

// Cost appends the simulation of a call.
func (b *Batch) Cost(call ethereum.CallMsg, into *Quoting) {
	into.noTip = nil
	b.try(&into.noTip, optionalTip, &into.tip)
	if call.To != nil {
		b.estimate(call, &into.call)
	}
}

// Quoted completes an answered quote, with a tip if the node has none.
func (c *Client) Quoted(ctx context.Context, a *Quoting) *Quote {
	q := &Quote{Head: a.head, Balance: a.balance.ToInt(), Gas: a.call.Gas, GasErr: a.call.Err}
	if q.Head.BaseFee == nil {
		q.Price, q.PriceErr = a.price.ToInt(), a.noPrice
	} else {
		q.Tip, q.PriceErr = c.tip(ctx, a)
	}
	return q
}

// GasPrice is the node's suggested price per unit of gas, in wei, or else the base fee with the
// quote's tip.
func (a *Quoting) GasPrice(q *Quote) (*big.Int, error) {
	switch {
	case a.noPrice == nil:
		return a.price.ToInt(), nil
	case q.PriceErr != nil || q.Tip == nil:
		return nil, a.noPrice
	}
	return new(big.Int).Add(q.Tip, q.Head.BaseFee.ToInt()), nil
}
