package signer

import (
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/history"
)

// TestUsageInPlainNumbers: large numbers have no exponent, and what is not certain is not shown as 0 or 100 %.
func TestUsageInPlainNumbers(t *testing.T) {
	t.Parallel()
	sum := func(l history.Luck) wallet.ClientUsage {
		l.Paid, l.TotalEV = new(big.Rat), format.NewTotalEV(big.NewRat(1, 3))
		return wallet.ClientUsage{Client: "studio", Payments: 1, TicketSum: wallet.TicketSum{Tickets: l.Tickets, TotalEV: l.TotalEV}, Luck: l}
	}
	for name, c := range map[string]struct {
		of    history.Luck
		shown string
	}{
		"a ticket that rarely wins": {history.Luck{Tickets: 1, ExpectedWins: 0.00002, AtMost: 0.99998, AtLeast: 1}, "0 of 2e-05  good (99.998 %)"},
		"a million tickets":         {history.Luck{Tickets: 1e6, ExpectedWins: 12345.6, Wins: 12400, AtMost: 0.69, AtLeast: 0.315}, "12400 of 12346  bad (31.5 %)"},
		"only losers":               {history.Luck{Tickets: 1e6, ExpectedWins: 1234.5, AtMost: 0, AtLeast: 1}, "0 of 1234  good (below 0.000001 %)"},
		"only winners":              {history.Luck{Tickets: 3, ExpectedWins: 0.003, Wins: 3, AtMost: 1, AtLeast: 1e-9}, "3 of 0.003  bad (below 0.000001 %)"},
		"nothing drawn":             {history.Luck{AtMost: 1, AtLeast: 1}, "0 of 0  nothing drawn"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			writeUsage(&page.Page{Writer: &out, Width: 200}, []wallet.ClientUsage{sum(c.of)})
			require.Contains(t, out.String(), c.shown)
		})
	}
}
