package past

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
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
