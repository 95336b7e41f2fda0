package chain

import (
	"context"
	"encoding/json"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// NonceAt returns how many of the account's transactions are in blocks: the lowest
// transaction nonce that is still free on the chain.
func (c *Client) NonceAt(ctx context.Context, account common.Address) (uint64, error) {
	var nonce hexutil.Uint64
	err := c.get(ctx, &nonce, "eth_getTransactionCount", account, "latest")
	return uint64(nonce), err
}

// Nonces returns how many of the account's transactions are in blocks, as NonceAt does,
// and how many there are with those that wait in the node's pool. Both come from one
// request.
func (c *Client) Nonces(ctx context.Context, account common.Address) (used, pending uint64, err error) {
	var mined, waiting hexutil.Uint64
	b := new(batch)
	b.add("eth_getTransactionCount", &mined, account, "latest")
	b.add("eth_getTransactionCount", &waiting, account, "pending")
	err = c.do(ctx, b)
	return uint64(mined), uint64(waiting), err
}

// KnowsTransaction tells whether the node has a transaction, in its pool or in a block.
func (c *Client) KnowsTransaction(ctx context.Context, hash common.Hash) (bool, error) {
	var found json.RawMessage
	err := c.get(ctx, &found, "eth_getTransactionByHash", hash)
	return !isNull(found), err
}
