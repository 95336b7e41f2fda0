package past

import (
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
)

// plotHistory are deposit and reserve over time, and what winning tickets were paid.
func plotHistory(h *wallet.History) *plot {
	begin, end := h.Since, h.Now
	if begin.IsZero() && len(h.Events) > 0 {
		begin = h.Events[0].Time
	}
	if begin.IsZero() {
		begin = end.Add(-time.Hour)
	}
	if !h.Until.IsZero() && h.Until.Before(end) {
		end = h.Until
	}
	paid, sum := []history.Balance{{Time: begin, Wei: new(big.Rat)}}, new(big.Rat)
	for _, e := range h.Events {
		if e.Redemption != nil {
			sum = new(big.Rat).Add(sum, e.Redemption.Paid.Rat())
			paid = append(paid, history.Balance{Time: e.Time, Wei: sum})
		}
	}
	wins := "paid for " + words.Count(h.Totals.Redemptions, "win") + ", " + about(sum) + " in total"
	if h.Recipient != nil {
		wins += ", of " + common.Address(*h.Recipient).Hex()
	}
	return &plot{
		title:    fmt.Sprintf("Funds of %s on %s", common.Address(h.Sender).Hex(), h.Network),
		subtitle: fmt.Sprintf("%s to %s (UTC)", begin.UTC().Format(plotMinutes), end.UTC().Format(plotMinutes)),
		from:     begin, now: end, to: end,
		panels: []plotPanel{
			{name: "deposit", color: "deposit", points: until(end, from(begin, h.Deposits))},
			{name: "reserve", color: "reserve", points: until(end, from(begin, h.Reserves))},
			{name: wins, color: "spent", points: thinned(paid, end.Sub(begin))},
		},
	}
}
