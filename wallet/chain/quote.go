package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/broker"
)

// Prospect is a call that a sender may make to the TicketBroker.
type Prospect struct {
	// Value is in wei.
	Value *big.Int
	Data  []byte

	// Funding is what the call is to fund; nil for one that funds nothing.
	Funding *broker.Funding
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
	a, o := new(statusAnswer), new(Outlook)
	var err error
	a.Contracts, err = c.askBeside(ctx, func(b *batch, contracts Contracts) {
		b.status(contracts, sender, a)
		b.Cost(p.call(sender, contracts), &a.quote)
	}, func(ctx context.Context, contracts Contracts) {
		if p.Funding != nil {
			o.Unfunded = c.SimulateFunding(ctx, p.call(sender, contracts), *p.Funding)
		}
	})
	if err != nil {
		return nil, err
	}
	o.Quote = c.Quoted(ctx, &a.quote)
	o.Status, err = a.finish(o.Quote)
	return o, err
}
