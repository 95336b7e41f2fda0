package plot

import (
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
)

// Runway are deposit and reserve over time, when the deposit is used up, and what the
// tickets were worth.
func Runway(w *wallet.Runway) *Plot {
	p := &Plot{
		Title: fmt.Sprintf("Runway of %s on %s", common.Address(w.Sender).Hex(), w.Network), Subtitle: "Deposit used up: " + Outlook(w),
		From: w.Since, Now: w.Until, To: w.Until,
	}
	deposit := Panel{Name: "deposit, now " + w.Deposit.String(), Color: "deposit", Points: from(w.Since, w.Deposits)}
	if f := w.Forecast; f != nil && f.DaysHigh > 0 {
		p.Subtitle += fmt.Sprintf("; 90 %%: %s to %s", dayOrTime(w, f.Low), dayOrTime(w, f.High))
		if f.DaysHigh > mostDays {
			p.Subtitle = fmt.Sprintf("Deposit used up: %s; 95 %%: not before %s", Outlook(w), dayOrTime(w, f.Low))
		}
		deposit.Forecast, p.To = f, foreseen(w)
	}
	p.Panels = []Panel{
		deposit,
		{Name: "reserve, now " + w.Reserve.String(), Color: "reserve", Points: from(w.Since, w.Reserves)},
		{Name: "expected value of the tickets made, " + About(w.Made.TotalEVExact.Rat) + " in total", Color: "spent", Points: thinned(w.Worth, w.Until.Sub(w.Since))},
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
