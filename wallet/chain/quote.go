package chain

import (
	"context"
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
	b, a := new(batch), new(quoteAnswer)
	b.quote(call, a)
	if err := c.do(ctx, b); err != nil {
		return nil, err
	}
	return c.quoteOf(ctx, a), nil
}

// quoteAnswer is a quote as it comes from the node.
type quoteAnswer struct {
	head    Head
	balance hexutil.Big
	suggestion
	gas    hexutil.Uint64
	gasErr error
}

func (b *batch) quote(call ethereum.CallMsg, into *quoteAnswer) {
	b.head(&into.head)
	b.add("eth_getBalance", &into.balance, call.From, "latest")
	b.try(&into.noPrice, "eth_gasPrice", &into.price)
	b.cost(call, into)
}

// cost appends what a quote has and a status has not.
func (b *batch) cost(call ethereum.CallMsg, into *quoteAnswer) {
	b.try(&into.noTip, optionalTip, &into.tip)
	if call.To != nil {
		b.try(&into.gasErr, "eth_estimateGas", &into.gas, argument(call))
	}
}

// quoteOf is an answer that came, with the tip that it may lack.
func (c *Client) quoteOf(ctx context.Context, a *quoteAnswer) *Quote {
	q := &Quote{Head: a.head, Balance: a.balance.ToInt(), Gas: uint64(a.gas), GasErr: a.gasErr}
	if q.Head.BaseFee == nil {
		q.Price, q.PriceErr = a.price.ToInt(), a.noPrice
	} else {
		q.Tip, q.PriceErr = c.tip(ctx, &a.suggestion, a.head)
	}
	return q
}

// Prospect is a call that a sender may make to the TicketBroker.
type Prospect struct {
	// Value is in wei.
	Value *big.Int
	Data  []byte

	// Funding is what the call is to fund; nil for one that funds nothing.
	Funding *Funding
}

func (p Prospect) call(sender common.Address, contracts Contracts) ethereum.CallMsg {
	return ethereum.CallMsg{From: sender, To: &contracts.TicketBroker, Value: p.Value, Data: p.Data}
}

// Outlook is a sender's status together with a quote for a call.
type Outlook struct {
	Status *Status
	Quote  *Quote

	// Unfunded is what SimulateFunding said to the call.
	Unfunded error
}

// Consider reads a sender's status and a quote in one request, as Status does. A funding is
// simulated at the same time, in a request of its own: nodes without simulations differ in
// how they refuse them, and some would refuse all the rest.
func (c *Client) Consider(ctx context.Context, sender common.Address, p Prospect) (*Outlook, error) {
	status, quote, o := new(statusAnswer), new(quoteAnswer), new(Outlook)
	contracts, err := c.askBeside(ctx, func(b *batch, contracts Contracts) {
		b.status(contracts, sender, status)
		b.cost(p.call(sender, contracts), quote)
	}, func(ctx context.Context, contracts Contracts) {
		if p.Funding != nil {
			o.Unfunded = c.SimulateFunding(ctx, p.call(sender, contracts), *p.Funding)
		}
	})
	if err != nil {
		return nil, err
	}
	status.Contracts = contracts
	quote.head, quote.balance, quote.price, quote.noPrice = status.Head, status.balance, status.gasPrice, status.noPrice
	o.Quote = c.quoteOf(ctx, quote)
	price := status.gasPrice.ToInt()
	if status.noPrice != nil {
		if o.Quote.PriceErr != nil || o.Quote.Tip == nil {
			return nil, status.noPrice
		}
		price = new(big.Int).Add(o.Quote.Tip, status.Head.BaseFee.ToInt())
	}
	o.Status, err = status.finish(price)
	return o, err
}
