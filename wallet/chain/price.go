package chain

import (
	"context"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// optionalTip is the method that not every node has.
const optionalTip = "eth_maxPriorityFeePerGas"

// SuggestGasTipCap returns the tip that the node suggests, in wei a unit of gas. A node
// that suggests none is asked for the gas price, of which the base fee is the rest, and
// where that fails for the tips of the last blocks.
func (c *Client) SuggestGasTipCap(ctx context.Context) (*big.Int, error) {
	var tip, price hexutil.Big
	var head Head
	b := new(batch)
	b.add(optionalTip, &tip)
	b.add("eth_gasPrice", &price)
	b.head(&head)
	if err := c.send(ctx, b); err != nil {
		return nil, err
	}
	noTip, noPrice := b.elems[0].Error, b.elems[1].Error
	if noTip == nil {
		return tip.ToInt(), nil
	}
	if err := c.settle(b, 2, 3); err != nil {
		return nil, err
	}
	if noPrice == nil && head.BaseFee != nil {
		// A price that is below the base fee is an older block's.
		rest := new(big.Int).Sub(price.ToInt(), head.BaseFee.ToInt())
		if rest.Sign() < 0 {
			rest.SetInt64(0)
		}
		return rest, nil
	}
	if paid, err := c.tipsPaid(ctx); err == nil {
		return paid, nil
	}
	return nil, classify(noTip)
}

// tipsPaid returns the highest of the tips that were the median in each of the last blocks.
func (c *Client) tipsPaid(ctx context.Context) (*big.Int, error) {
	const blocks, median = 5, 50
	var history struct {
		Reward [][]*hexutil.Big `json:"reward"`
	}
	if err := c.get(ctx, &history, "eth_feeHistory", hexutil.Uint64(blocks), "latest", []int{median}); err != nil {
		return nil, err
	}
	var most *big.Int
	for _, paid := range history.Reward {
		if len(paid) == 1 && paid[0] != nil && (most == nil || paid[0].ToInt().Cmp(most) > 0) {
			most = paid[0].ToInt()
		}
	}
	if most == nil {
		return nil, errors.New("no fee history")
	}
	return most, nil
}

// SuggestGasPrice returns the price that the node suggests, in wei a unit of gas.
func (c *Client) SuggestGasPrice(ctx context.Context) (*big.Int, error) {
	var price hexutil.Big
	err := c.get(ctx, &price, "eth_gasPrice")
	return price.ToInt(), err
}
