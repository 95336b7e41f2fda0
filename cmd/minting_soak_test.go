package cmd

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// atOnce is how many processes mint at the same time.
const atOnce = 8

// TestSoakKilledMinting kills processes at random moments while eight of them make
// batches of the same params and pay the same recipient. No nonce is printed or
// delivered twice, and whatever was printed or delivered is in the ledger.
func TestSoakKilledMinting(t *testing.T) {
	onEachStore(t, func(t *testing.T, location string) {
		mints := soakRuns(t, 20, 60, 1000)
		m := newMinting(t, location, mints)
		m.kill = randomKills(400 * time.Millisecond)
		m.mintAll(mints)
		require.Positive(t, m.kills.Load())
		m.check()
	})
}

// mintAll does a number of mints, some at once.
func (m *minting) mintAll(mints int) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range mints {
		group.Go(func() error {
			m.do(i)
			return nil
		})
	}
	_ = group.Wait() // what went wrong is in the mints
}
