//go:build linux

package cmd

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatChangedIsAskedAgain: while a person thinks about the answer another terminal
// acts. A yes is to what was shown, and to nothing else.
func TestWhatChangedIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	s.run("fund", "--deposit", "1eth", "--reserve", "1eth", "--yes")
	answered := func(p *terminal, asks, again string, act func()) {
		t.Helper()
		p.expect(asks)
		p.expect("[y/N] ")
		act()
		p.press("y\r")
		p.expect("assphrase of 0x")
		p.seen.Reset()
		p.press(passphraseTyped + "\r")
		p.expect("Changed since it was shown:")
		p.expect(again)
		p.expect("[y/N] ")
		p.press("n\r")
		code, shown := p.end()
		require.Equal(t, exitCancelled, code, shown)
	}
	answered(s.sit(nil, "unlock"), "This unlocks 1 ETH of deposit", "This unlocks 5 ETH of deposit", func() {
		s.run("fund", "--deposit", "4eth", "--yes")
	})
	require.NotContains(t, s.run("status"), "unlocking")
	answered(s.sit(nil, "fund", "--deposit", "1eth"), "Move 1 ETH to the contract?", "cancel the unlock?", func() {
		s.run("unlock", "--yes")
	})
	require.Contains(t, s.run("status"), "unlocking")
}

// TestABumpOfWhatIsMinedIsRefused: a transaction is mined while a person thinks about
// paying more for it.
func TestABumpOfWhatIsMinedIsRefused(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	require.NoError(t, s.network.SetAutomine(t.Context(), false))
	var sent struct {
		Data struct {
			Hash string `json:"transaction_hash"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(s.run("fund", "--deposit", "1eth", "--yes", "--no-wait", "-o", "json")), &sent))
	p := s.sit(nil, "tx", "bump", sent.Data.Hash)
	p.expect("[y/N] ")
	require.NoError(t, s.network.Mine(t.Context(), 1))
	p.press("y\r")
	p.expect("assphrase of 0x")
	p.press(passphraseTyped + "\r")
	code, shown := p.end()
	require.Equal(t, exitFailed, code, shown)
	require.Contains(t, shown, "no longer pending")
	require.NotContains(t, s.run("tx", "list", "--all"), "bump", "nothing was signed")
}
