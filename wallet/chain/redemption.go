package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/contract"
)

// Claimable returns what a recipient can still claim of a sender's reserve in this
// round, in wei; 0 for a recipient that is not active.
func (c *Client) Claimable(ctx context.Context, sender, recipient common.Address) (*big.Int, error) {
	contracts, err := c.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	var claimable *big.Int
	broker := contract.NewTicketBroker()
	b := new(batch)
	call(b, contracts.TicketBroker, broker.PackClaimableReserve(sender, recipient), broker.UnpackClaimableReserve, &claimable)
	return claimable, c.Do(ctx, &b.Batch)
}
