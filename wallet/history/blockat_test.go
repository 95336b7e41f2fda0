package history_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sort"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/history"
)

// paced is a chain that makes blocks at a pace that changes: of each part of it, the first
// block and how many it makes in a second.
type paced struct {
	history.Node
	parts []part
	asked int
	// lacks is a block that the node does not have.
	lacks uint64
}

type part struct {
	first  uint64
	begins time.Time
	pace   float64
}

func (p *paced) time(number uint64) time.Time {
	at := p.parts[0]
	for _, next := range p.parts[1:] {
		if next.first <= number {
			at = next
		}
	}
	return at.begins.Add(time.Duration(float64(number-at.first) / at.pace * float64(time.Second))).Truncate(time.Second)
}

// first is the first block that was made at a time or later, of those up to head.
func (p *paced) first(head uint64, at time.Time) uint64 {
	return uint64(sort.Search(int(head)+1, func(n int) bool { return !p.time(uint64(n)).Before(at) }))
}

func (p *paced) Blocks(_ context.Context, numbers ...uint64) ([]chain.Block, error) {
	p.asked++
	if len(numbers) > 50 {
		return nil, errors.New("too many at once")
	}
	blocks := make([]chain.Block, len(numbers))
	for i, number := range numbers {
		if blocks[i].Number = number; p.lacks == 0 || number != p.lacks {
			blocks[i].Hash, blocks[i].Time = common.BigToHash(common.Big1), p.time(number)
		}
	}
	return blocks, nil
}

// newPaced is a chain of some parts, with its newest block.
func newPaced(parts int, draw func(lo, hi uint64) uint64) (*paced, chain.Head) {
	p := new(paced)
	at, number := time.Date(2022, 8, 31, 0, 0, 0, 0, time.UTC), uint64(0)
	for range parts {
		next := part{first: number, begins: at, pace: float64(draw(1, 80)) / 10}
		blocks := draw(1, 200_000_000/uint64(parts))
		p.parts = append(p.parts, next)
		number += blocks
		at = at.Add(time.Duration(float64(blocks) / next.pace * float64(time.Second))).Truncate(time.Second)
	}
	return p, chain.Head{Number: number - 1, Time: p.time(number - 1)}
}

// TestBlockAt: whatever the pace, no block of the time is left out, and three requests find
// the place.
func TestBlockAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, head := newPaced(rapid.IntRange(1, 6).Draw(t, "parts"), func(lo, hi uint64) uint64 { return rapid.Uint64Range(lo, hi).Draw(t, "n") })
		at := p.time(rapid.Uint64Range(0, head.Number).Draw(t, "at"))
		at = at.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "beside")) * time.Second)
		got, err := history.BlockAt(context.Background(), p, head, at)
		require.NoError(t, err)
		require.LessOrEqual(t, got, p.first(head.Number, at))
		require.LessOrEqual(t, p.asked, 3)
	})
}

// TestBlockAtIsNear: on a chain whose pace does not change much, few blocks are read in vain.
func TestBlockAtIsNear(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		p := &paced{parts: []part{{0, time.Date(2022, 8, 31, 0, 0, 0, 0, time.UTC), 3}}}
		for n := uint64(0); n < 400_000_000; n += 40_000_000 {
			last := p.parts[len(p.parts)-1]
			p.parts = append(p.parts, part{n + 1, last.begins.Add(time.Duration(float64(n+1-last.first) / last.pace * float64(time.Second))), 3.5 + rng.Float64()})
		}
		head := chain.Head{Number: 430_000_000, Time: p.time(430_000_000)}
		at := head.Time.Add(-time.Duration(rng.Int64N(int64(365 * 24 * time.Hour))))
		got, err := history.BlockAt(t.Context(), p, head, at)
		require.NoError(t, err)
		first := p.first(head.Number, at)
		require.LessOrEqual(t, got, first)
		require.LessOrEqual(t, first-got, max(64, (head.Number-first)/16+1), "%v", head.Time.Sub(at))
		require.LessOrEqual(t, p.asked, 3)
	}
}

func TestBlockAtTheEnds(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.net.Mine(t.Context(), 300))
	head, err := w.client.Head(t.Context())
	require.NoError(t, err)
	blocks, err := w.client.Blocks(t.Context(), 0, 17, 18, head.Number+1)
	require.NoError(t, err)
	require.Zero(t, blocks[3].Hash)
	at := func(when time.Time) uint64 {
		t.Helper()
		got, err := history.BlockAt(t.Context(), w.client, head, when)
		require.NoError(t, err)
		return got
	}
	require.Zero(t, at(time.Time{}))
	require.Zero(t, at(blocks[0].Time))
	require.Zero(t, at(blocks[0].Time.Add(-time.Hour)))
	require.LessOrEqual(t, at(blocks[1].Time), uint64(17))
	require.LessOrEqual(t, at(blocks[1].Time.Add(1)), uint64(18))
	require.LessOrEqual(t, at(head.Time), head.Number)
	require.Greater(t, at(head.Time), head.Number-70)
	require.Equal(t, head.Number+1, at(head.Time.Add(1)))
}

// TestBlockAtOfANodeWithGaps fails, since what is missing may be what is looked for.
func TestBlockAtOfANodeWithGaps(t *testing.T) {
	p := &paced{parts: []part{{0, time.Unix(1e9, 0), 1}}, lacks: 1000 - 64}
	_, err := history.BlockAt(t.Context(), p, chain.Head{Number: 1000, Time: p.time(1000)}, p.time(500))
	require.ErrorIs(t, err, chain.ErrUnreachable)
	require.ErrorContains(t, err, "not block 936")
}
