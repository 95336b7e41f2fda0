package past

import (
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/plot"
)

// plotHistory are deposit and reserve over time, and what winning tickets were paid.
func plotHistory(h *wallet.History) *plot.Plot {
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
	wins := "paid for " + words.Count(h.Totals.Redemptions, "win") + ", " + plot.About(sum) + " in total"
	if h.Recipient != nil {
		wins += ", of " + common.Address(*h.Recipient).Hex()
	}
	if h.Client != "" {
		wins += ", of tickets for client " + h.Client
	}
	return &plot.Plot{
		Title:    fmt.Sprintf("Funds of %s on %s", common.Address(h.Sender).Hex(), h.Network),
		Subtitle: fmt.Sprintf("%s to %s (UTC)", begin.UTC().Format(plot.Minutes), end.UTC().Format(plot.Minutes)),
		From:     begin, Now: end, To: end,
		Panels: []plot.Panel{
			{Name: "deposit", Color: "deposit", Points: plot.Until(end, plot.From(begin, h.Deposits))},
			{Name: "reserve", Color: "reserve", Points: plot.Until(end, plot.From(begin, h.Reserves))},
			{Name: wins, Color: "spent", Points: plot.Thinned(paid, end.Sub(begin))},
		},
	}
}
