package chain

import (
	"context"
	"encoding/json"

	"github.com/ethereum/go-ethereum/common"
)

// NonceAt returns how many of the account's transactions are in blocks: the lowest
// transaction nonce that is still free on the chain.
func (c *Client) NonceAt(ctx context.Context, account common.Address) (uint64, error) {
	nonce, err := c.eth.NonceAt(ctx, account, nil)
	return nonce, c.classify(err)
}

// KnowsTransaction tells whether the node has a transaction, in its pool or in a block.
func (c *Client) KnowsTransaction(ctx context.Context, hash common.Hash) (bool, error) {
	var found json.RawMessage
	err := c.rpc.CallContext(ctx, &found, "eth_getTransactionByHash", hash)
	return len(found) > 0 && string(found) != "null", c.classify(err)
}
