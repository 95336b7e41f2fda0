package nodes

import (
	"context"
	"maps"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// Logs returns the events in the blocks from first to last that match a filter, in one request,
// from a node that has all of these blocks.
func (c *Client) Logs(ctx context.Context, first, last uint64, filter map[string]any) (logs []types.Log, err error) {
	ranged := maps.Clone(filter)
	ranged["fromBlock"], ranged["toBlock"] = hexutil.Uint64(first), hexutil.Uint64(last)
	b := new(Batch)
	// A node has no error for events of blocks that it does not have yet. The block comes first, so that it cannot
	// arrive in between.
	b.block(last, new(Block))
	b.Add("eth_getLogs", &logs, ranged)
	return logs, c.Do(ctx, b)
}
