package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/broker"
)

// Outlook is a sender's status with a quote for a call.
type Outlook struct {
	Status *Status
	Quote  *Quote
	// Unfunded is the error of SimulateFunding.
	Unfunded error
}

// Consider reads a sender's status and a quote in one request, as Status does, for a call of
// the TicketBroker with a value, in wei, and data. A funding, nil for a call that funds
// nothing, is simulated at the same time in a request of its own: nodes without simulations
// differ in how they refuse them, and some would refuse the whole batch.
func (c *Client) Consider(ctx context.Context, sender common.Address, value *big.Int, data []byte, funding *broker.Funding) (*Outlook, error) {
	a, o := new(statusAnswer), new(Outlook)
	call := func(contracts Contracts) ethereum.CallMsg {
		return ethereum.CallMsg{From: sender, To: &contracts.TicketBroker, Value: value, Data: data}
	}
	var err error
	a.Contracts, err = c.askBeside(ctx, func(b *batch, contracts Contracts) {
		b.status(contracts, sender, a)
		b.Cost(call(contracts), &a.quote)
	}, func(ctx context.Context, contracts Contracts) {
		if funding != nil {
			o.Unfunded = c.SimulateFunding(ctx, call(contracts), *funding)
		}
	})
	if err != nil {
		return nil, err
	}
	o.Quote = c.Quoted(ctx, &a.quote)
	o.Status, err = a.finish(o.Quote)
	return o, err
}
