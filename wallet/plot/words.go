package plot

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/internal/words"
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
	case f.DaysMedian == 0:
		return "at any moment: the outstanding tickets probably use the deposit up"
	case f.DaysMedian > mostDays:
		return "not within ten years"
	}
	return fmt.Sprintf("in about %s, on %s", Days(f.DaysMedian), dayOrTime(w, f.Median))
}

// dayOrTime is a time of the forecast: a day, and within two days also the time, in UTC.
func dayOrTime(w *wallet.Runway, at time.Time) string {
	if at.Sub(w.Until) < 48*time.Hour {
		return at.UTC().Format(minutes) + " UTC"
	}
	return at.Format(time.DateOnly)
}

// mostDays is how far a forecast reaches; it says nothing beyond.
const mostDays = 3650

// Period is a time of whole seconds, exactly, in the largest unit that it is a multiple of.
func Period(seconds int64) string {
	count, unit := seconds, "second"
	for _, larger := range []struct {
		of   int64
		name string
	}{{60, "minute"}, {60, "hour"}, {24, "day"}} {
		if count%larger.of != 0 {
			break
		}
		count, unit = count/larger.of, larger.name
	}
	return words.Count(count, unit)
}

// Ahead is a number of days from now in a forecast.
func Ahead(days float64) string {
	if days > mostDays {
		return "over ten years"
	}
	return Days(days)
}

// Days is a number of days for people, in shorter units where it is short.
func Days(days float64) string {
	const hours, minutes, seconds = 24, 24 * 60, 24 * 60 * 60
	switch {
	case days >= 10:
		return fmt.Sprintf("%.0f days", days)
	case days >= 1:
		return tenths(days, "days")
	case days*hours >= 1:
		return tenths(days*hours, "hours")
	case days == 0:
		return "now"
	}
	if days*minutes >= 1 {
		return tenths(days*minutes, "minutes")
	}
	return tenths(days*seconds, "seconds")
}

// tenths is a number of units, whose plural is given, with at most one decimal place.
func tenths(n float64, units string) string {
	number := strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0")
	if number == "1" {
		units = strings.TrimSuffix(units, "s")
	}
	return number + " " + units
}

// Number is a number that need not be whole, for people.
func Number(n float64) string {
	if n >= 1000 {
		return fmt.Sprintf("%.0f", n)
	}
	return fmt.Sprintf("%.4g", n)
}

// Percent is a probability for people. What is possible but not certain is neither 0 nor 100 %.
func Percent(p float64) string {
	percent := p * 100
	switch {
	case p < 1e-8:
		return "below 0.000001 %"
	case p < 0.0001:
		places := 1 - int(math.Floor(math.Log10(percent)))
		return strings.TrimRight(strconv.FormatFloat(percent, 'f', places, 64), "0") + " %"
	case p >= 0.999995 && p < 1:
		return "above 99.999 %"
	case p >= 0.9995:
		return fmt.Sprintf("%.5g %%", percent)
	}
	return fmt.Sprintf("%.3g %%", percent)
}

// About is an amount of wei, rounded to what a person reads, and marked with ~ unless it is exact. What
// is not nothing is not shown as 0.
func About(amount *big.Rat) string {
	const digits = 5
	amount = num.OrZero(amount)
	if amount.Sign() > 0 && amount.Cmp(big.NewRat(1, 1)) < 0 {
		return "less than 1 wei"
	}
	decimal := amount.FloatString(0)
	if len(decimal) > digits {
		decimal = decimal[:digits] + strings.Repeat("0", len(decimal)-digits)
	}
	rounded, _ := new(big.Rat).SetString(decimal)
	if rounded.Cmp(amount) != 0 {
		return "~" + wei.Format(rounded)
	}
	return wei.Format(rounded)
}
