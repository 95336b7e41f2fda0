package history

import (
	"context"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/wallet/chain"
)

// BlockAt returns the first block that was made at a time or later, of those up to head;
// head+1 when there is none, 0 for the zero time. It fails as Node does.
func BlockAt(ctx context.Context, node Node, head uint64, at time.Time) (uint64, error) {
	if at.IsZero() {
		return 0, nil
	}
	first, after := uint64(0), head+1
	for first < after {
		middle := first + (after-first)/2
		found, err := node.Blocks(ctx, middle)
		if err != nil {
			return 0, err
		}
		if found[0].Time.IsZero() {
			return 0, fmt.Errorf("%w: the node has block %d and not block %d", chain.ErrUnreachable, head, middle)
		}
		if found[0].Time.Before(at) {
			first = middle + 1
		} else {
			after = middle
		}
	}
	return first, nil
}
