package nodes

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// PendingNonceAt returns the account's next nonce, including the transactions in the node's pool.
func (c *Client) PendingNonceAt(ctx context.Context, account common.Address) (uint64, error) {
	var nonce hexutil.Uint64
	err := c.Get(ctx, &nonce, "eth_getTransactionCount", account, "pending")
	return uint64(nonce), err
}

// NonceAt returns how many of the account's transactions are in blocks: the lowest free nonce
// of the chain.
func (c *Client) NonceAt(ctx context.Context, account common.Address) (uint64, error) {
	var nonce hexutil.Uint64
	err := c.Get(ctx, &nonce, "eth_getTransactionCount", account, "latest")
	return uint64(nonce), err
}

// NonceAtBlock is NonceAt as of a block. It fails if the node does not have the block.
func (c *Client) NonceAtBlock(ctx context.Context, account common.Address, block uint64) (uint64, error) {
	var nonce hexutil.Uint64
	err := c.Get(ctx, &nonce, "eth_getTransactionCount", account, hexutil.Uint64(block))
	return uint64(nonce), err
}

// Nonces returns how many of the account's transactions are in blocks, as NonceAt does, and how
// many there are with those in the node's pool. Both come from one request.
func (c *Client) Nonces(ctx context.Context, account common.Address) (used, pending uint64, err error) {
	var mined, waiting hexutil.Uint64
	b := new(Batch)
	b.Add("eth_getTransactionCount", &mined, account, "latest")
	b.Add("eth_getTransactionCount", &waiting, account, "pending")
	err = c.Do(ctx, b)
	return uint64(mined), uint64(waiting), err
}
