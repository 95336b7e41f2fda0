package chain

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

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
	return claimable, c.do(ctx, b)
}

// Estimate is what one call of several would do.
type Estimate struct {
	// Gas is what it needs.
	Gas uint64
	// Err is a *RevertError when the contract refuses the call, or what else the node
	// said to it.
	Err error
}

// estimatesAtOnce bounds the calls in one request; nodes refuse more than some tens.
const estimatesAtOnce = 20

// EstimateEach simulates calls, each on the chain as it is now, and returns an
// estimate for each. It fails when the node cannot be asked.
func (c *Client) EstimateEach(ctx context.Context, calls []ethereum.CallMsg) ([]Estimate, error) {
	estimates := make([]Estimate, 0, len(calls))
	for len(calls) > 0 {
		n := min(len(calls), estimatesAtOnce)
		b := new(batch)
		gas := make([]hexutil.Uint64, n)
		for i, msg := range calls[:n] {
			b.add("eth_estimateGas", &gas[i], argument(msg))
		}
		if err := c.send(ctx, b); err != nil {
			return nil, err
		}
		for i, elem := range b.elems {
			estimates = append(estimates, Estimate{Gas: uint64(gas[i]), Err: classify(elem.Error)})
		}
		calls = calls[n:]
	}
	return estimates, nil
}
