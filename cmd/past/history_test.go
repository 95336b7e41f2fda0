package past

import (
	"bytes"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestWhatAFundingDidNotAdd is not shown: the contract emits an event for both parts of each funding.
func TestWhatAFundingDidNotAdd(t *testing.T) {
	t.Parallel()
	one, none := wei.FromUint64(1), wei.Wei{}
	at := time.Unix(1e9, 0).UTC()
	shown := func(deposit, reserve *wei.Wei) string {
		var out bytes.Buffer
		p := &page.Page{Writer: &out, Width: 80}
		writeHistory(p, &wallet.History{Totals: history.Total(nil), Events: []history.Event{
			{Kind: history.DepositFunded, Time: at, Deposit: deposit}, {Kind: history.ReserveFunded, Time: at, Reserve: reserve},
		}})
		return out.String()
	}
	require.NotContains(t, shown(&one, &none), "+0 wei")
	require.Contains(t, shown(&one, &none), "+1 wei of deposit")
	require.Contains(t, shown(&none, &one), "+1 wei of reserve")
	require.NotContains(t, shown(&none, &one), "+0 wei")
}

// TestLuckOfWinsAndMoney: wins are compared with the expected number, and what they cost with what the
// tickets are worth. The two can go different ways.
func TestLuckOfWinsAndMoney(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wins     uint64
		expected float64
		paid, ev *big.Rat
		luck     string
	}{
		"few wins":            {1, 1.5, big.NewRat(1000, 1), big.NewRat(1500, 1), "good: paid 500 wei less than the tickets are worth"},
		"many wins":           {2, 1.5, big.NewRat(2000, 1), big.NewRat(1500, 1), "bad: paid 500 wei more than the tickets are worth"},
		"many small wins":     {2, 1.5, big.NewRat(20, 1), big.NewRat(1500, 1), "bad, but paid 1480 wei less than the tickets are worth"},
		"a large win":         {1, 1.5, big.NewRat(9000, 1), big.NewRat(1500, 1), "good, but paid 7500 wei more than the tickets are worth"},
		"as expected":         {1, 1, big.NewRat(1000, 1), big.NewRat(1000, 1), "good: paid what the tickets are worth"},
		"but for a fraction":  {1, 1, big.NewRat(1000, 1), big.NewRat(3000001, 3000), "good: paid what the tickets are worth"},
		"tickets for nothing": {0, 0, new(big.Rat), new(big.Rat), "good: paid what the tickets are worth"},
	} {
		luck, _ := luckText(history.Luck{Wins: c.wins, ExpectedWins: c.expected, Paid: c.paid, TotalEV: format.NewTotalEV(c.ev)})
		require.Equal(t, c.luck, luck, name)
	}
}
