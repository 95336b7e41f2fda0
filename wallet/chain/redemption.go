package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/contract"
)

// Claimable returns what a recipient can still claim from a sender's reserve in this round, in
// wei; 0 for an inactive recipient.
func (c *Client) Claimable(ctx context.Context, sender, recipient common.Address) (*big.Int, error) {
	contracts, err := c.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	var claimable *big.Int
	views := contract.NewTicketBroker()
	b := new(batch)
	call(b, contracts.TicketBroker, views.PackClaimableReserve(sender, recipient), views.UnpackClaimableReserve, &claimable)
	return claimable, c.Do(ctx, &b.Batch)
}

// NewBroker returns package pm's Broker for the network's TicketBroker, used by account.
// Everything it does ends with ctx.
func NewBroker(ctx context.Context, client *Client, account broker.Transactor) (*broker.Account, error) {
	contracts, err := client.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	return broker.NewAccount(ctx, contracts.TicketBroker, account, client), nil
}
