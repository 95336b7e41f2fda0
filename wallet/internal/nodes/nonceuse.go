package nodes

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// NonceUse is one node's answer about a transaction nonce of an account.
type NonceUse struct {
	// URL is the node's, without secrets.
	URL string

	// Used is set if a block has a transaction of the account with the nonce.
	Used bool

	// Tx is that transaction, with the account's own signature, and Block its block; nil if the
	// node does not show it.
	Tx    *types.Transaction
	Block uint64

	// Err is why the node does not answer, or does not show the transaction.
	Err error
}

// NonceUses asks each of the client's nodes separately which transaction used a nonce of the
// account.
func (c *Client) NonceUses(ctx context.Context, account common.Address, nonce uint64) []NonceUse {
	uses := make([]NonceUse, len(c.all))
	for i, of := range c.all {
		share, end := shareOf(ctx, len(c.all)-i)
		alone := &Client{network: c.network, all: []*node{of}} // over the same connections
		uses[i] = alone.nonceUse(share, account, nonce)
		end()
	}
	return uses
}

func (c *Client) nonceUse(ctx context.Context, account common.Address, nonce uint64) NonceUse {
	use := NonceUse{URL: c.URL()}
	var id, count hexutil.Uint64
	var head Head
	b := new(Batch)
	b.Add("eth_chainId", &id) // rejects a node of another chain
	b.Head(&head)
	b.Add("eth_getTransactionCount", &count, account, "latest")
	if use.Err = c.Do(ctx, b); use.Err != nil {
		return use
	}
	if use.Used = uint64(count) > nonce; !use.Used {
		return use
	}
	if use.Block, use.Err = c.blockOfNonce(ctx, account, nonce, head.Number); use.Err == nil {
		use.Tx, use.Err = c.transactionIn(ctx, use.Block, account, nonce)
	}
	return use
}

// blockOfNonce returns the number of the block, at most newest, with an account's transaction
// with a nonce. It tries the newest blocks first: nodes discard the state of old ones.
func (c *Client) blockOfNonce(ctx context.Context, account common.Address, nonce, newest uint64) (uint64, error) {
	has := func(block uint64) (bool, error) {
		var count hexutil.Uint64
		err := c.Get(ctx, &count, "eth_getTransactionCount", account, hexutil.Uint64(block))
		return uint64(count) > nonce, err
	}
	with, without := newest, uint64(0)
	for step := uint64(1); step <= newest; step *= 2 {
		used, err := has(newest - step)
		if err != nil {
			return 0, err
		}
		if !used {
			without = newest - step
			break
		}
		with = newest - step
	}
	for with-without > 1 {
		middle := without + (with-without)/2
		used, err := has(middle)
		if err != nil {
			return 0, err
		}
		if used {
			with = middle
		} else {
			without = middle
		}
	}
	return with, nil
}

// transactionIn returns the account's transaction with a nonce from a block. Rollups have
// transactions of types that this package cannot read; they are skipped.
func (c *Client) transactionIn(ctx context.Context, block uint64, account common.Address, nonce uint64) (*types.Transaction, error) {
	var found *struct {
		Transactions []json.RawMessage `json:"transactions"`
	}
	if err := c.Get(ctx, &found, "eth_getBlockByNumber", hexutil.Uint64(block), true); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, fmt.Errorf("the node at %s has no block %d", c.URL(), block)
	}
	for _, raw := range found.Transactions {
		var head struct {
			From  common.Address `json:"from"`
			Nonce hexutil.Uint64 `json:"nonce"`
		}
		if json.Unmarshal(raw, &head) != nil || head.From != account || uint64(head.Nonce) != nonce {
			continue
		}
		tx := new(types.Transaction)
		if err := tx.UnmarshalJSON(raw); err != nil {
			continue
		}
		// Only the signature proves the sender, whatever the node says.
		from, err := types.Sender(types.LatestSignerForChainID(c.ChainID()), tx)
		if err == nil && from == account && tx.Nonce() == nonce {
			return tx, nil
		}
	}
	return nil, fmt.Errorf("block %d of the node at %s has no transaction of the account with nonce %d", block, c.URL(), nonce)
}
