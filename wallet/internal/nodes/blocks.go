package nodes

import (
	"context"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"golang.org/x/sync/errgroup"
)

// Block is a block's number, hash and time.
type Block struct {
	// Number is the block's own, Hash its hash.
	Number uint64
	Hash   common.Hash
	// Time is when it was made.
	Time time.Time
}

// blocksAtOnce limits the blocks in one request, blockRequests the concurrent requests.
const blocksAtOnce, blockRequests = 50, 4

// Blocks returns blocks of this chain by their numbers. A block that the node does not have has
// a zero hash.
func (c *Client) Blocks(ctx context.Context, numbers ...uint64) ([]Block, error) {
	blocks := make([]Block, len(numbers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(blockRequests)
	next := 0
	for some := range slices.Chunk(numbers, blocksAtOnce) {
		b := new(Batch)
		for _, number := range some {
			b.block(number, &blocks[next])
			next++
		}
		group.Go(func() error { return c.Do(ctx, b) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return blocks, nil
}

func (b *Batch) block(number uint64, into *Block) {
	var answer *struct {
		Hash      common.Hash    `json:"hash"`
		Timestamp hexutil.Uint64 `json:"timestamp"`
	}
	b.AddDecoded("eth_getBlockByNumber", &answer, func() error {
		into.Number = number
		if answer != nil {
			into.Hash, into.Time = answer.Hash, time.Unix(int64(answer.Timestamp), 0).UTC()
		}
		return nil
	}, hexutil.Uint64(number), false)
}
