package plot

import (
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
)

// History are deposit and reserve over time, and what winning tickets were paid.
func History(h *wallet.History) *Plot {
	begin, end := h.Since, h.Now
	if begin.IsZero() && len(h.Events) > 0 {
		begin = h.Events[0].Time
	}
	if !h.Until.IsZero() && h.Until.Before(end) {
		end = h.Until
	}
	if begin.IsZero() {
		begin = end.Add(-time.Hour)
	}
	paid, sum := []history.Balance{{Time: begin, Wei: new(big.Rat)}}, new(big.Rat)
	for _, e := range h.Events {
		if e.Redemption != nil {
			sum = new(big.Rat).Add(sum, e.Redemption.Paid.Rat())
			paid = append(paid, history.Balance{Time: e.Time, Wei: sum})
		}
	}
	wins := "paid for " + words.Count(h.Totals.Redemptions, "win") + ", " + About(sum) + " in total"
	if h.Recipient != nil {
		wins += ", of " + common.Address(*h.Recipient).Hex()
	}
	if h.Client != "" {
		wins += ", of tickets for client " + h.Client
	}
	return &Plot{
		Title:    fmt.Sprintf("Funds of %s on %s", common.Address(h.Sender).Hex(), h.Network),
		Subtitle: fmt.Sprintf("%s to %s (UTC)", begin.UTC().Format(minutes), end.UTC().Format(minutes)),
		From:     begin, Now: end, To: end,
		Panels: []Panel{
			{Name: "deposit", Color: "deposit", Points: until(end, from(begin, h.Deposits))},
			{Name: "reserve", Color: "reserve", Points: until(end, from(begin, h.Reserves))},
			{Name: wins, Color: "spent", Points: thinned(paid, end.Sub(begin))},
		},
	}
}
