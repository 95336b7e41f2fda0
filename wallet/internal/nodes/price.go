package nodes

import (
	"context"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// tip is the suggested tip for the next block, in wei per unit of gas. If the node suggests
// none, it is the gas price less the base fee, or else what was paid in the last blocks.
func (c *Client) tip(ctx context.Context, a *Quoting) (*big.Int, error) {
	if a.noTip == nil {
		return a.tip.ToInt(), nil
	}
	if a.noPrice == nil && a.head.BaseFee != nil {
		// A price below the base fee is an older block's.
		rest := new(big.Int).Sub(a.price.ToInt(), a.head.BaseFee.ToInt())
		if rest.Sign() < 0 {
			rest.SetInt64(0)
		}
		return rest, nil
	}
	if paid, err := c.tipsPaid(ctx); err == nil {
		return paid, nil
	}
	return nil, a.noTip
}

// tipsPaid returns the highest of the median tips of the last blocks.
func (c *Client) tipsPaid(ctx context.Context) (*big.Int, error) {
	const blocks, median = 5, 50
	var history struct {
		Reward [][]*hexutil.Big `json:"reward"`
	}
	if err := c.Get(ctx, &history, "eth_feeHistory", hexutil.Uint64(blocks), "latest", []int{median}); err != nil {
		return nil, err
	}
	var most *big.Int
	for _, paid := range history.Reward {
		if len(paid) == 1 && paid[0] != nil && paid[0].ToInt().Cmp(mostPrice) <= 0 && (most == nil || paid[0].ToInt().Cmp(most) > 0) {
			most = paid[0].ToInt()
		}
	}
	if most == nil {
		return nil, errors.New("no fee history")
	}
	return most, nil
}

// SuggestGasPrice returns the node's suggested price, in wei per unit of gas.
func (c *Client) SuggestGasPrice(ctx context.Context) (*big.Int, error) {
	var price hexutil.Big
	err := c.Get(ctx, &price, "eth_gasPrice")
	return price.ToInt(), err
}
