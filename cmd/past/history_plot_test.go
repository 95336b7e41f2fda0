package past

import (
	"encoding/xml"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/plot"
)

// svgOf draws a plot, which must be well-formed XML.
func svgOf(t *testing.T, p *plot.Plot) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, p.Write(&b))
	for decoder := xml.NewDecoder(strings.NewReader(b.String())); ; {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		require.NoError(t, err)
	}
}

// TestHistoryIsDrawn: what a recipient or a user named is no markup.
func TestHistoryIsDrawn(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	funds := []history.Balance{{Wei: big.NewRat(1e18, 1)}, {Time: now.AddDate(0, 0, -20), Wei: big.NewRat(9e17, 1)}}
	h := &wallet.History{Network: "a<b>&", Now: now, Deposits: funds, Reserves: funds[:1]}
	text := svgOf(t, plotHistory(h))
	require.Contains(t, text, "a&lt;b&gt;&amp;")
	require.Contains(t, text, "paid for 0 wins")
	h.Until = now.AddDate(0, 0, -10) // before every event
	require.Contains(t, svgOf(t, plotHistory(h)), "2026-11-14 11:00 to 2026-11-14 12:00 (UTC)")
	h.Since = now.AddDate(0, 0, -30)
	require.Contains(t, svgOf(t, plotHistory(h)), "to 2026-11-14 12:00 (UTC)")
	h.Client = "studio"
	require.Contains(t, svgOf(t, plotHistory(h)), "paid for 0 wins, 0 wei in total, of tickets for client studio")
}
