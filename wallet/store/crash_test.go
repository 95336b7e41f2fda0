package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
)

// said is what a process that reserves nonces has printed.
type said struct {
	nonces pm.NonceRange
	err    error
}

// The server is killed and started again while goroutines that share a store, and processes,
// reserve on one session. No nonce appears twice, no reported one is lost, all continue once
// the server is back, and all report errors in between.
func TestSoakServerKilled(t *testing.T) {
	rounds := map[string]int{"": 1, "sample": 3, "whole": 30}[os.Getenv("PMCTL_SOAK")]
	require.Positive(t, rounds, "PMCTL_SOAK is sample or whole")
	location := server.Database(t)
	const goroutines, processes = 6, 3
	heard := make(chan said)
	stop := reserveInMany(t, location, goroutines, processes, heard)

	var all []pm.NonceRange
	failures := 0
	listen := func(enough func(said) bool) {
		deadline := time.After(10 * time.Minute)
		for {
			select {
			case s := <-heard:
				if s.err == nil {
					all = append(all, s.nonces)
				} else {
					failures++
					require.ErrorIs(t, s.err, ErrUnreachable)
					require.NotContains(t, s.err.Error(), secret(t, location))
				}
				if enough(s) {
					return
				}
			case <-deadline:
				require.FailNow(t, "no one continues")
			}
		}
	}
	count := func(n int, what func(said) bool) func(said) bool {
		return func(s said) bool {
			if what(s) {
				n--
			}
			return n <= 0
		}
	}
	worked := func(s said) bool { return s.err == nil }
	failed := func(s said) bool { return s.err != nil }

	for round := range 2 * rounds {
		listen(count(60, worked))
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			server.Crash(t, round%2 == 0)
		}()
		listen(count(2*(goroutines+processes), failed))
		<-gone
		back := make(chan struct{})
		go func() {
			defer close(back)
			server.Start(t)
		}()
		listen(count(60, worked))
		<-back
	}
	go stop()
	for s := range heard {
		if s.err == nil {
			all = append(all, s.nonces)
		}
	}
	t.Logf("%d reservations, %d failures", len(all), failures)
	require.Positive(t, failures)

	s := open(t, location)
	var kept []pm.NonceRange
	for _, row := range ledger(t, s) {
		kept = append(kept, pm.NonceRange{First: row.first, Count: row.nonces})
	}
	requireGapless(t, kept, 1)
	slices.SortFunc(all, func(a, b pm.NonceRange) int { return int(int64(a.First) - int64(b.First)) })
	for i, r := range all {
		require.Contains(t, kept, r)
		require.True(t, i == 0 || all[i-1].First+all[i-1].Count <= r.First, "nonce %d was reserved twice", r.First)
	}
}

// reserveInMany has goroutines with one store, and processes, reserve until stop is
// called. It closes heard when the last of them has ended.
func reserveInMany(t *testing.T, location string, goroutines, processes int, heard chan<- said) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	shared := open(t, location)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for ctx.Err() == nil {
				nonces, err := shared.Chain(testChain).ReserveNonces(context.Background(), common.Address{1}, params(1), 2, 0)
				heard <- said{nonces, err}
				if err != nil {
					<-time.After(retryAfter)
				}
			}
		})
	}
	for range processes {
		cmd := child("insist", location)
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		context.AfterFunc(ctx, func() { stdin.Close() })
		wg.Go(func() {
			for lines := bufio.NewScanner(stdout); lines.Scan(); {
				heard <- parse(lines.Text())
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	return func() {
		cancel()
		wg.Wait()
		close(heard)
	}
}

// parse reads a line of reserveForever.
func parse(line string) (s said) {
	if n, _ := fmt.Sscan(line, &s.nonces.First, &s.nonces.Count); n == 2 {
		return s
	}
	if text, unreachable := strings.CutPrefix(line, "true "); unreachable {
		return said{err: fmt.Errorf("%w: %s", ErrUnreachable, text)}
	}
	return said{err: errors.New(line)}
}
