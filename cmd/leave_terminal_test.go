//go:build linux

package cmd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAnExitAsksAgain: at a terminal what changed after the question is asked about, the
// funds that grew while it waited for the answer as well as the unlock that was taken
// back while it waited for its round.
func TestAnExitAsksAgain(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	s.run("fund", "--deposit", "1eth", "--reserve", "1eth", "--yes")
	p := s.sit(nil, "exit", "--interval", "10ms")
	p.expect("Withdraw 1 ETH of deposit and 1 ETH of reserve")
	p.expect("[y/N] ")
	s.run("fund", "--deposit", "4eth", "--yes")
	p.seen.Reset()
	p.press("y\r")
	p.expect("have grown: this exit was to withdraw 1 ETH")
	p.expect("Withdraw 5 ETH of deposit and 1 ETH of reserve")
	p.expect("[y/N] ")
	p.press("y\r")
	p.expect("assphrase of 0x")
	p.press(passphraseTyped + "\r")
	p.expect("waiting (current round:")
	p.expect("until about 20") // a date, and in UTC as elsewhere
	p.seen.Reset()
	s.run("unlock", "cancel", "--yes")
	p.expect("progress: 5 ETH of deposit and 1 ETH of reserve are locked")
	p.expect("[y/N] ")
	p.press("n\r")
	code, shown := p.end()
	require.Equal(t, exitCancelled, code, shown)
	status := s.run("status")
	require.Contains(t, status, "5 ETH")
	require.Contains(t, status, "locked")
	require.NotContains(t, status, "unlocking")
}
