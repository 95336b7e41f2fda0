package cmd

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/wallet/store"
)

// atOnce is how many processes mint at the same time.
const atOnce = 8

// TestSoakKilledMinting kills processes at random moments while eight of them make
// batches of the same params and pay the same recipient. No nonce is printed or
// delivered twice, and whatever was printed or delivered is in the ledger.
func TestSoakKilledMinting(t *testing.T) {
	t.Parallel()
	notInShort(t)
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

// TestSoakServerKilledUnderMinting kills PostgreSQL over and over while eight processes
// mint, and starts it again. In between they say that the store cannot be reached, with
// exit code 7, and later they go on where they were.
func TestSoakServerKilledUnderMinting(t *testing.T) {
	notInShort(t)
	mints := soakRuns(t, 40, 120, 1000)
	m := newMinting(t, server.Database(t), mints)
	var unreachable, uncertain atomic.Int64
	m.retry = func(end ending) bool {
		if end.code != exitUnreachable {
			return false
		}
		unreachable.Add(1)
		if strings.Contains(end.errs, store.ErrUncertain.Error()) {
			uncertain.Add(1)
		}
		if !strings.Contains(end.errs, store.ErrUnreachable.Error()) {
			t.Errorf("unclear: %s", end.errs)
		}
		return true
	}
	heard := make(chan ending, 1<<16) // sends must not block
	m.heard = heard
	go func() {
		defer close(heard)
		m.mintAll(mints)
	}()
	// listen returns false when there is nothing more to hear.
	listen := func(runs, code int) bool {
		for end := range heard {
			if end.code == code {
				runs--
			}
			if runs <= 0 {
				return true
			}
		}
		return false
	}
	crashes := 0
	for kill := true; listen(1+rand.IntN(2*atOnce), exitDone); kill = !kill {
		server.Crash(t, kill)
		crashes++
		listen(1, exitUnreachable)
		server.Start(t)
	}
	t.Logf("%d crashes, %d runs found no server, %d of them lost it at the very end", crashes, unreachable.Load(), uncertain.Load())
	require.Positive(t, unreachable.Load())
	m.check()
}
