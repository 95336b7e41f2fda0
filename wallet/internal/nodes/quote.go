package nodes

import (
	"context"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Quote is what a node says before a call is sent. All of it comes from one request, so that
// it is one node's word about one moment.
type Quote struct {
	Head Head

	// Balance is what the caller holds, in wei.
	Balance *big.Int

	// Price is what the node suggests to pay for a unit of gas, and Tip the part of it that is
	// not the base fee, in wei. There is a tip where the chain has a base fee, and a price
	// where it has none; the other one is nil. PriceErr is why the node tells neither.
	Price, Tip *big.Int
	PriceErr   error

	// Gas is what the call needs, GasErr a *RevertError when the contract refuses it, or what
	// else the node said to it. Both are zero where no call was asked about.
	Gas    uint64
	GasErr error
}

// Quote asks about a call of an account, and about prices alone where the call has no To. It
// fails when the node cannot be asked.
func (c *Client) Quote(ctx context.Context, call ethereum.CallMsg) (*Quote, error) {
	b, q := new(Batch), new(Quoting)
	b.Quote(call.From, q)
	b.Cost(call, q)
	if err := c.Do(ctx, b); err != nil {
		return nil, err
	}
	return c.Quoted(ctx, q), nil
}

// Quoting is a quote as it comes from the node.
type Quoting struct {
	head    Head
	balance hexutil.Big
	call    Estimate
	// What gas costs, in wei a unit: the tip and the whole price, each of which some nodes do
	// not tell.
	tip, price     hexutil.Big
	noTip, noPrice error
}

var errNotAsked = errors.New("the node was not asked for a tip")

// Quote appends what a quote has whatever is called: the newest block, what an account holds
// and the gas price.
func (b *Batch) Quote(account common.Address, into *Quoting) {
	b.Head(&into.head)
	b.Add("eth_getBalance", &into.balance, account, "latest")
	b.Try(&into.noPrice, "eth_gasPrice", &into.price)
	into.noTip = errNotAsked
}

// Cost appends what a call costs.
func (b *Batch) Cost(call ethereum.CallMsg, into *Quoting) {
	into.noTip = nil
	b.Try(&into.noTip, optionalTip, &into.tip)
	if call.To != nil {
		b.Estimate(call, &into.call)
	}
}

// Quoted is an answer that came, with the tip that it may lack.
func (c *Client) Quoted(ctx context.Context, a *Quoting) *Quote {
	q := &Quote{Head: a.head, Balance: a.balance.ToInt(), Gas: a.call.Gas, GasErr: a.call.Err}
	if q.Head.BaseFee == nil {
		q.Price, q.PriceErr = a.price.ToInt(), a.noPrice
	} else {
		q.Tip, q.PriceErr = c.tip(ctx, a)
	}
	return q
}

// GasPrice is what the node suggests to pay for a unit of gas, in wei. Of a node that
// suggests no price it is the base fee with the quote's tip.
func (a *Quoting) GasPrice(q *Quote) (*big.Int, error) {
	switch {
	case a.noPrice == nil:
		return a.price.ToInt(), nil
	case q.PriceErr != nil || q.Tip == nil:
		return nil, a.noPrice
	}
	return new(big.Int).Add(q.Tip, q.Head.BaseFee.ToInt()), nil
}
