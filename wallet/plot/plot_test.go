package plot

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/wei"
)

// svgOf draws a plot, which must be well-formed XML, and keeps it in $PLOTS for a browser.
func svgOf(t *testing.T, p interface{ Write(io.Writer) error }) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, p.Write(&b))
	if dir := os.Getenv("PLOTS"); dir != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".svg"), []byte(b.String()), 0o644))
	}
	for decoder := xml.NewDecoder(strings.NewReader(b.String())); ; {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		require.NoError(t, err)
	}
}

func seen(days int) *wallet.Runway {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	since := now.AddDate(0, 0, -days)
	deposit, _ := wei.Parse("0.6eth")
	reserve, _ := wei.Parse("0.5eth")
	eth := func(thousandths int64) *big.Rat {
		return new(big.Rat).SetInt(new(big.Int).Mul(big.NewInt(thousandths), big.NewInt(1e15)))
	}
	w := &wallet.Runway{
		Network: "arbitrum-one-mainnet", Since: since, Until: now, Deposit: deposit, Reserve: reserve, Made: wallet.TicketSum{TotalEV: format.NewTotalEV(eth(400))},
		Deposits: []history.Balance{{Wei: eth(1000)}}, Reserves: []history.Balance{{Wei: eth(500)}}, Worth: []history.Balance{{Time: since, Wei: new(big.Rat)}},
	}
	for i := range 40 {
		at := since.Add(now.Sub(since) / 40 * time.Duration(i))
		w.Worth = append(w.Worth, history.Balance{Time: at, Wei: eth(int64(10 * (i + 1)))})
		if i%10 == 5 {
			w.Deposits = append(w.Deposits, history.Balance{Time: at, Wei: eth(int64(900 - 10*(i-5)))})
		}
	}
	return w
}

func foretold(w *wallet.Runway, low, median, high float64) *wallet.Forecast {
	at := func(days float64) time.Time { return w.Until.Add(time.Duration(days * float64(24*time.Hour))) }
	return &wallet.Forecast{Confidence: 0.9, DaysLow: low, DaysMedian: median, DaysHigh: high, Low: at(low), Median: at(median), High: at(high)}
}

// TestRunwayIsDrawnWithItsForecast: the band begins at the deposit of now, has a date with
// its year below, and one that lies years ahead leaves room for the past.
func TestRunwayIsDrawnWithItsForecast(t *testing.T) {
	for name, c := range map[string]struct {
		days              int
		low, median, high float64
		subtitle          string
	}{
		"weeks":   {30, 22, 45, 80, "in about 45 days, on 2027-01-08; 90 %: 2026-12-16 to 2027-02-12"},
		"hours":   {1, 0.2, 0.4, 0.9, "in about 9.6 hours, on 2026-11-24 21:36 UTC; 90 %: 2026-11-24 16:48 UTC to 2026-11-25 09:36 UTC"},
		"years":   {30, 300, 700, 2000, "in about 700 days, on 2028-10-24; 90 %: 2027-09-20 to 2032-05-16"},
		"forever": {30, 3000, 9000, 36500, "not within ten years; 95 %: not before 2035-02-10"},
	} {
		t.Run(name, func(t *testing.T) {
			w := seen(c.days)
			w.Forecast = foretold(w, c.low, c.median, c.high)
			p := Runway(w)
			text := svgOf(t, p)
			require.Contains(t, text, c.subtitle)
			require.Contains(t, text, ">now</text>")
			require.Equal(t, 1, strings.Count(text, `class="band deposit"`))
			require.Contains(t, text, fmt.Sprintf(`class="band deposit" points="%.1f,`, p.x(w.Until)))
			require.GreaterOrEqual(t, p.x(w.Until), left+float64(right-left)/5-1, "a fifth of the picture is the past")
			columns := p.columns()
			require.GreaterOrEqual(t, len(columns), 2)
			require.LessOrEqual(t, len(columns), maxColumns)
			for _, tick := range columns {
				require.Regexp(t, `^20\d\d`, tick.Text)
				require.True(t, tick.At >= left && tick.At <= right, "%v", tick)
			}
		})
	}
	// Without a forecast the picture ends now.
	text := svgOf(t, Runway(seen(30)))
	require.NotContains(t, text, ">now</text>")
	require.NotContains(t, text, "<polygon")
}

// TestDatesHaveTheirYear walks spans from a second to a century: two to six dates, in order,
// each with its year.
func TestDatesHaveTheirYear(t *testing.T) {
	for span := time.Second; span < 150*365*24*time.Hour; span += span/2 + time.Second {
		p := &Plot{From: time.Date(2026, 2, 28, 23, 59, 31, 7, time.UTC)}
		p.To = p.From.Add(span)
		columns := p.columns()
		require.True(t, len(columns) >= 2 && len(columns) <= maxColumns, "%v: %v", span, columns)
		require.Greater(t, columns[len(columns)-1].At, float64(left+right)/2, "%v: %v ends early", span, columns)
		for i, tick := range columns {
			require.Regexp(t, `^2\d\d\d`, tick.Text)
			require.True(t, tick.At >= left && tick.At <= right, "%v: %v", span, tick)
			half := float64(len(tick.Text)*charWidth) / 2
			require.True(t, tick.Center()-half >= 0 && tick.Center()+half <= width, "%v: %v is cut off", span, tick)
			if i > 0 {
				require.Greater(t, tick.Center()-half, columns[i-1].Center()+half, "%v: %v overlaps", span, tick)
				require.Greater(t, tick.At, columns[i-1].At)
				require.NotEqual(t, tick.Text, columns[i-1].Text, "%v", span)
			}
		}
	}
}
