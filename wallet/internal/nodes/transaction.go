package nodes

import (
	"context"
	"encoding/json"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// EstimateGasAsRich simulates a call as if the caller had enough ether, which not every node
// can do, and returns the gas that it uses. It fails with *RevertError if the contract reverts.
func (c *Client) EstimateGasAsRich(ctx context.Context, msg ethereum.CallMsg) (uint64, error) {
	rich := (*hexutil.Big)(new(big.Int).Lsh(big.NewInt(1), 200))
	override := map[common.Address]any{msg.From: map[string]any{"balance": rich}}
	var gas hexutil.Uint64
	err := c.Get(ctx, &gas, "eth_estimateGas", argument(msg), "latest", override)
	return uint64(gas), err
}

func argument(msg ethereum.CallMsg) map[string]any {
	arg := map[string]any{"from": msg.From, "to": msg.To, "data": hexutil.Bytes(msg.Data)}
	if msg.Value != nil {
		arg["value"] = (*hexutil.Big)(msg.Value)
	}
	if msg.Gas != 0 {
		arg["gas"] = hexutil.Uint64(msg.Gas)
	}
	return arg
}

// CallContract simulates a call at a block. It fails with *RevertError if the contract reverts.
func (c *Client) CallContract(ctx context.Context, msg ethereum.CallMsg, block *big.Int) ([]byte, error) {
	at := any("latest")
	if block != nil {
		at = (*hexutil.Big)(block)
	}
	var out hexutil.Bytes
	err := c.Get(ctx, &out, "eth_call", argument(msg), at)
	return out, err
}

// SendTransaction sends a signed transaction to one node, once.
func (c *Client) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	raw, err := tx.MarshalBinary()
	if err != nil {
		return err
	}
	var hash json.RawMessage
	return c.Get(ctx, &hash, "eth_sendRawTransaction", hexutil.Bytes(raw))
}

// TransactionReceipt returns a mined transaction's receipt, or ethereum.NotFound.
func (c *Client) TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	var receipt *types.Receipt
	err := c.Get(ctx, &receipt, "eth_getTransactionReceipt", hash)
	if err == nil && receipt == nil {
		err = ethereum.NotFound
	}
	return receipt, err
}

// KnowsTransaction reports whether the node has a transaction, in its pool or in a block.
func (c *Client) KnowsTransaction(ctx context.Context, hash common.Hash) (bool, error) {
	var found json.RawMessage
	err := c.Get(ctx, &found, "eth_getTransactionByHash", hash)
	return !isNull(found), err
}

// Estimate is the result of one simulated call.
type Estimate struct {
	// Gas is what it uses.
	Gas uint64
	// Err is a *RevertError if the contract reverts, or another error of the node.
	Err error
}

// estimatesAtOnce limits the calls in one request; nodes refuse more than some tens.
const estimatesAtOnce = 20

// estimate appends the simulation of a call on the chain's present state.
func (b *Batch) estimate(call ethereum.CallMsg, into *Estimate) {
	b.try(&into.Err, "eth_estimateGas", (*hexutil.Uint64)(&into.Gas), argument(call))
}

// EstimateEach simulates calls, each on the chain's present state. It fails if the node cannot
// be asked.
func (c *Client) EstimateEach(ctx context.Context, calls []ethereum.CallMsg) ([]Estimate, error) {
	estimates := make([]Estimate, len(calls))
	next := 0
	for some := range slices.Chunk(calls, estimatesAtOnce) {
		b := new(Batch)
		for _, call := range some {
			b.estimate(call, &estimates[next])
			next++
		}
		if err := c.Do(ctx, b); err != nil {
			return nil, err
		}
	}
	return estimates, nil
}
