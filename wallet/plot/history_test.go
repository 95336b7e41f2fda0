package plot

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
)

// TestHistoryIsDrawn: what a recipient or a user named is no markup.
func TestHistoryIsDrawn(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	funds := []history.Balance{{Wei: big.NewRat(1e18, 1)}, {Time: now.AddDate(0, 0, -20), Wei: big.NewRat(9e17, 1)}}
	h := &wallet.History{Network: "a<b>&", Now: now, Deposits: funds, Reserves: funds[:1]}
	text := svgOf(t, History(h))
	require.Contains(t, text, "a&lt;b&gt;&amp;")
	require.Contains(t, text, "paid for 0 wins")
	h.Until = now.AddDate(0, 0, -10) // before every event
	require.Contains(t, svgOf(t, History(h)), "2026-11-14 11:00 to 2026-11-14 12:00 (UTC)")
	h.Since = now.AddDate(0, 0, -30)
	require.Contains(t, svgOf(t, History(h)), "to 2026-11-14 12:00 (UTC)")
	h.Client = "studio"
	require.Contains(t, svgOf(t, History(h)), "paid for 0 wins, 0 wei in total, of tickets for client studio")
}
