package history

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pmctl/pmctl/wallet/chain"
)

const (
	// nearest is how many blocks before the head the first probe is, each next one being
	// four times as far away.
	nearest, farther = 64, 4
	// closer is how often a block is looked for between two others. Chains make blocks at a
	// pace that changes slowly: most often once is enough.
	closer = 2
	// superfluous is which part more blocks may be read than were made since the time.
	superfluous = 16
)

// BlockAt returns a block from which on all blocks are that were made at a time or later, of
// those up to head; head+1 when there are none, 0 for the zero time. It fails as Node does.
//
// It is found by interpolation between a few blocks whose time is asked for, in at most three
// requests. So it may be an earlier block than the first one of that time, and never is a
// later one: it always lies at or before a block that is known to be earlier than the time.
// All that the difference costs is to read the events of some blocks more, whose own times
// say that they are too old.
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

// bracket is two blocks between which a time lies.
type bracket struct {
	node Node
	at   time.Time
	head uint64
	// before was made before the time, nil while no block is known that was; after was not.
	before *chain.Block
	after  chain.Block
}

// tight reports whether there are few blocks between the two, next to those that are read in
// any case.
func (b *bracket) tight() bool {
	between := b.after.Number - b.before.Number - 1
	return between <= max(nearest, (b.head-b.after.Number)/superfluous)
}

// ladder are blocks that are the farther apart the older they are.
func (b *bracket) ladder() []uint64 {
	numbers := []uint64{0}
	for back := uint64(nearest); back < b.head; back *= farther {
		numbers = append(numbers, b.head-back)
	}
	return numbers
}

// fan are blocks around the one that the time is that of if all between the two were made at
// the same pace: some near, and some for when it was not so.
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

// narrow asks for blocks, and takes those that are closest to the time.
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
