package plot

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestLuckIsDrawn draws few wins, a bar each, and many, of which a bar stands for several: all bars
// and lines are inside the picture, and the bars beyond what 99 % of periods stay within are of
// another colour.
func TestLuckIsDrawn(t *testing.T) {
	for name, c := range map[string]struct {
		spend    string
		bars     int
		subtitle string
	}{
		"none":     {"10gwei", 2, "1e-05 expected, 10 gwei; in 99.9 % of all periods at most 0, 0 wei"},
		"few":      {"0.004eth", 13, "4 expected, 0.004 ETH; in 99.9 % of all periods at most 11, 0.011 ETH"},
		"dozens":   {"0.05eth", 0, "50 expected, 0.05 ETH; in 99.9 % of all periods at most 73, 0.073 ETH"},
		"many":     {"1000eth", 0, "1000000 expected, 1000 ETH; in 99.9 % of all periods at most 1003092, 1003.092 ETH"},
		"millions": {"500000eth", 0, "500000000 expected, 500000 ETH; in 99.9 % of all periods at most 500069101, 500069.101 ETH"},
	} {
		t.Run(name, func(t *testing.T) {
			face, err := wei.Parse("0.001eth")
			require.NoError(t, err)
			spend, err := wei.Parse(c.spend)
			require.NoError(t, err)
			l, err := wallet.Spending{FaceValue: face, PerSecond: new(big.Rat).Mul(spend.Rat(), big.NewRat(1, 86400))}.Luck(24 * time.Hour)
			require.NoError(t, err)
			text := svgOf(t, Luck(l))
			require.Contains(t, text, c.subtitle)
			require.Contains(t, text, "in 1 day</title>")
			bars := regexp.MustCompile(`<rect class="bar (deposit|spent)" x="([0-9.]+)" y="([0-9.]+)" width="([0-9.]+)" height="([0-9.]+)"`).FindAllStringSubmatch(text, -1)
			require.LessOrEqual(t, len(bars), maxBars)
			if c.bars > 0 {
				require.Len(t, bars, c.bars)
				require.Equal(t, l.AtMost[0].Wins+1, uint64(strings.Count(text, "bar deposit")))
			}
			number := func(s string) float64 {
				n, err := strconv.ParseFloat(s, 64)
				require.NoError(t, err)
				return n
			}
			last := float64(left)
			for _, b := range bars {
				x, y, wide, tall := number(b[2]), number(b[3]), number(b[4]), number(b[5])
				require.True(t, x >= last && x+wide <= right && y >= top && wide > 0, "%v", b)
				require.InDelta(t, top+200, y+tall, 0.11)
				last = x + wide
			}
			require.Contains(t, text, "bar spent")
			for _, at := range regexp.MustCompile(`<line class="now" x1="([0-9.]+)"`).FindAllStringSubmatch(text, -1) {
				require.True(t, number(at[1]) >= left && number(at[1]) <= right, at[0])
			}
			require.Equal(t, 3, strings.Count(text, `class="now"`))
			end := float64(0)
			for _, label := range regexp.MustCompile(` x="([0-9.]+)" y="\d+" dy="20" text-anchor="middle">(\d+)<`).FindAllStringSubmatch(text, -1) {
				half := float64(charWidth*len(label[2])) / 2
				require.Less(t, end, number(label[1])-half, "%s overlaps the one before", label[2])
				end = number(label[1]) + half
			}
			require.True(t, end > left && end <= width)
		})
	}
}
