package history

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pmctl/pmctl/wallet/chain"
)

const (
	// nearest is the distance of the first probe from the head, in blocks; each next one is four
	// times as far away.
	nearest, farther = 64, 4
	// closer is how often a block between two others is searched. The pace of blocks changes
	// slowly, so once is usually enough.
	closer = 2
	// superfluous is the share of extra blocks, of those to be read, that is acceptable.
	superfluous = 16
)

// BlockAt returns a block from which on all blocks, up to head, were created at a time or later;
// head+1 if there are none, 0 for the zero time. It returns the errors of Node.
//
// It interpolates between a few blocks whose times it requests, in at most three requests. So it
// may return an earlier block than the first one of that time, but never a later one. The cost of
// the difference is reading the events of some more blocks, which their own times exclude.
func BlockAt(ctx context.Context, node Node, head chain.Head, at time.Time) (uint64, error) {
	switch {
	case at.IsZero():
		return 0, nil
	case at.After(head.Time):
		return head.Number + 1, nil
	}
	b := bracket{node: node, at: at, after: chain.Block{Number: head.Number, Time: head.Time}, head: head.Number}
	if err := b.narrow(ctx, b.ladder()); err != nil {
		return 0, err
	}
	for range closer {
		if b.before == nil || b.tight() {
			break
		}
		if err := b.narrow(ctx, b.fan()); err != nil {
			return 0, err
		}
	}
	if b.before == nil {
		return 0, nil
	}
	return b.before.Number + 1, nil
}

// bracket is two blocks with a time between them.
type bracket struct {
	node Node
	at   time.Time
	head uint64
	// before was created before the time, nil if no such block is known; after was not.
	before *chain.Block
	after  chain.Block
}

// tight reports whether the blocks between the two are few compared to those that must be read
// anyway.
func (b *bracket) tight() bool {
	between := b.after.Number - b.before.Number - 1
	return between <= max(nearest, (b.head-b.after.Number)/superfluous)
}

// ladder returns blocks whose distances grow with their age.
func (b *bracket) ladder() []uint64 {
	numbers := []uint64{0}
	for back := uint64(nearest); back < b.head; back *= farther {
		numbers = append(numbers, b.head-back)
	}
	return numbers
}

// fan returns blocks around the one expected at the time for a constant pace: some close, and some
// for a pace that varied.
func (b *bracket) fan() []uint64 {
	width := b.after.Number - b.before.Number
	share := float64(b.at.Sub(b.before.Time)) / float64(b.after.Time.Sub(b.before.Time))
	middle := b.before.Number + uint64(share*float64(width))
	numbers := []uint64{middle}
	for _, of := range []uint64{4, 16, 128} {
		step := width/of + 1
		if middle > step {
			numbers = append(numbers, middle-step)
		}
		numbers = append(numbers, middle+step)
	}
	return slices.DeleteFunc(numbers, func(n uint64) bool { return n <= b.before.Number || n >= b.after.Number })
}

// narrow requests blocks, and keeps those closest to the time.
func (b *bracket) narrow(ctx context.Context, numbers []uint64) error {
	found, err := b.node.Blocks(ctx, numbers...)
	if err != nil {
		return err
	}
	for _, block := range found {
		switch {
		case block.Time.IsZero():
			return fmt.Errorf("%w: the node has block %d and not block %d", chain.ErrUnreachable, b.head, block.Number)
		case !block.Time.Before(b.at):
			if block.Number < b.after.Number {
				b.after = block
			}
		case b.before == nil || block.Number > b.before.Number:
			b.before = &block
		}
	}
	return nil
}
