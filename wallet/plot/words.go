package plot

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Outlook says when the deposit is used up.
func Outlook(w *wallet.Runway) string {
	f := w.Forecast
	switch {
	case w.Deposit.IsZero():
		return "now: there is no deposit"
	case f == nil:
		return "not foreseeable: " + w.NoForecast
	case f.DaysHigh == 0:
		return "now: the deposit does not pay one more win in full"
	case f.DaysMedian > mostDays:
		return "not within ten years"
	}
	return fmt.Sprintf("in about %s, on %s", Days(f.DaysMedian), f.Median.Format(time.DateOnly))
}

// mostDays is how far a forecast reaches; it says nothing beyond.
const mostDays = 3650

// Days is a number of days for people, in shorter units where it is short.
func Days(days float64) string {
	const hours, minutes, seconds = 24, 24 * 60, 24 * 60 * 60
	switch {
	case days > mostDays:
		return "over ten years"
	case days >= 10:
		return fmt.Sprintf("%.0f days", days)
	case days >= 1:
		return strings.Replace(fmt.Sprintf("%.1f days", days), ".0 ", " ", 1)
	case days*hours >= 1:
		return fmt.Sprintf("%.1f hours", days*hours)
	case days == 0:
		return "now"
	}
	if days*minutes >= 1 {
		return fmt.Sprintf("%.1f minutes", days*minutes)
	}
	return fmt.Sprintf("%.0f seconds", days*seconds)
}

// About is an amount of wei, rounded to what a person reads.
func About(amount *big.Rat) string {
	const digits = 5
	approximate, decimal := "", amount.FloatString(0)
	if len(decimal) > digits {
		approximate, decimal = "~", decimal[:digits]+strings.Repeat("0", len(decimal)-digits)
	}
	rounded, _ := new(big.Rat).SetString(decimal)
	return approximate + wei.Format(rounded)
}
