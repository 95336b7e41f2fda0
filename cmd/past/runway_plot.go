package past

import (
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
)

// plotRunway are deposit and reserve over time, when the deposit is used up, and what the
// tickets were worth.
func plotRunway(w *wallet.Runway) *plot {
	p := &plot{
		title: fmt.Sprintf("Runway of %s on %s", common.Address(w.Sender).Hex(), w.Network), subtitle: "Deposit used up: " + forecastText(w),
		from: w.Since, now: w.Until, to: w.Until,
	}
	deposit := plotPanel{name: "deposit, now " + w.Deposit.String(), color: "deposit", points: from(w.Since, w.Deposits)}
	if f := w.Forecast; f != nil && f.DaysHigh > 0 {
		p.subtitle += fmt.Sprintf("; 90 %%: %s to %s", f.Low.Format(time.DateOnly), f.High.Format(time.DateOnly))
		if f.DaysHigh > mostDays {
			p.subtitle = fmt.Sprintf("Deposit used up: %s; 95 %%: not before %s", forecastText(w), f.Low.Format(time.DateOnly))
		}
		deposit.forecast, p.to = f, foreseen(w)
	}
	p.panels = []plotPanel{
		deposit,
		{name: "reserve, now " + w.Reserve.String(), color: "reserve", points: from(w.Since, w.Reserves)},
		{name: "expected value of the tickets made, " + about(w.Made.TotalEVExact.Rat) + " in total", color: "spent", points: thinned(w.Worth, w.Until.Sub(w.Since))},
	}
	return p
}

// foreseen is up to when the forecast is drawn: as far as its band, but no farther than lets
// the past be seen.
func foreseen(w *wallet.Runway) time.Time {
	const mostOfPast = 4
	if most := w.Until.Add(mostOfPast * w.Until.Sub(w.Since)); w.Forecast.High.After(most) {
		return most
	}
	return w.Forecast.High
}

// thinned leaves out amounts that are closer than about a pixel to the next one.
func thinned(balances []history.Balance, length time.Duration) (drawn []history.Balance) {
	const finest = 600
	for _, b := range balances {
		if last := len(drawn) - 1; last > 0 && b.Time.Sub(drawn[last].Time) < length/finest {
			b.Time, drawn = drawn[last].Time, drawn[:last]
		}
		drawn = append(drawn, b)
	}
	return drawn
}
