package nodes

import (
	"context"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"golang.org/x/sync/errgroup"
)

// Block is a block's place in time.
type Block struct {
	// Number is the block's own, Hash its hash.
	Number uint64
	Hash   common.Hash
	// Time is when it was made.
	Time time.Time
}

// blocksAtOnce bounds the blocks in one request, blockRequests the requests at the same time.
const blocksAtOnce, blockRequests = 50, 4

// Blocks returns blocks of this chain by their numbers. A block that the node does not
// have has a zero hash.
func (c *Client) Blocks(ctx context.Context, numbers ...uint64) ([]Block, error) {
	blocks := make([]Block, len(numbers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(blockRequests)
	into := blocks
	for some := range slices.Chunk(numbers, blocksAtOnce) {
		its := into[:len(some)]
		into = into[len(some):]
		group.Go(func() error { return c.someBlocks(ctx, some, its) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return blocks, nil
}

// someBlocks is Blocks in one request.
func (c *Client) someBlocks(ctx context.Context, numbers []uint64, into []Block) error {
	type answer struct {
		Hash      common.Hash    `json:"hash"`
		Timestamp hexutil.Uint64 `json:"timestamp"`
	}
	answers := make([]*answer, len(numbers))
	b := new(Batch)
	for i, number := range numbers {
		b.Add("eth_getBlockByNumber", &answers[i], hexutil.Uint64(number), false)
	}
	if err := c.Do(ctx, b); err != nil {
		return err
	}
	for i, a := range answers {
		into[i].Number = numbers[i]
		if a != nil {
			into[i].Hash, into[i].Time = a.Hash, time.Unix(int64(a.Timestamp), 0).UTC()
		}
	}
	return nil
}
