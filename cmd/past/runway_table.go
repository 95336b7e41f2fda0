package past

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// writeRunway prints when the deposit is empty, then what that follows from. Without a forecast, less
// than a day shows no rate by the day, and no course.
func writeRunway(out *cli.Page, w *wallet.Runway) error {
	short := w.Forecast == nil && w.Until.Sub(w.Since) < 24*time.Hour
	perDay := func(text string, rate *big.Rat) string {
		if short || rate.Sign() == 0 {
			return text
		}
		return text + ", " + about(rate) + " a day"
	}
	fields := []cli.Field{{"empty", forecastText(w)}}
	if f := w.Forecast; f != nil && f.DaysHigh > 0 {
		fields = append(fields, cli.Field{"90 %", fmt.Sprintf("%s to %s", daysText(f.DaysLow), daysText(f.DaysHigh))})
	}
	fields = append(fields,
		cli.Field{"deposit", w.Deposit.String()},
		cli.Field{"reserve", w.Reserve.String()},
		cli.Field{"made", perDay(fmt.Sprintf("%s worth %s", words.Count(w.Made.Tickets, "ticket"), about(w.Made.TotalEVExact.Rat)), w.EVPerDayExact.Rat)},
		cli.Field{"paid", perDay(fmt.Sprintf("%s for %s, %.4g expected", wei.Format(w.Paid), words.Count(w.Redemptions, "win"), w.ExpectedWins), w.PaidPerDay)},
	)
	if w.Outstanding.Tickets > 0 {
		fields = append(fields, cli.Field{"outstanding", fmt.Sprintf("%s, at worst %s", words.Count(w.Outstanding.Tickets, "ticket"), wei.Format(w.Outstanding.FaceValue))})
	}
	if w.Unmatched > 0 {
		fields = append(fields, cli.Field{"ledger", fmt.Sprintf("lacks %d of the wins: the forecast goes by the wins", w.Unmatched)})
	}
	fields = append(fields,
		cli.Field{"observed", fmt.Sprintf("%s since %s", daysText(w.Until.Sub(w.Since).Hours()/24), w.Since.Format(time.RFC3339))},
		cli.Field{"sender", common.Address(w.Sender).Hex()},
	)
	if short {
		return out.Fields(fields)
	}
	spent := make([]float64, len(w.SpentExact))
	for i, part := range w.SpentExact {
		spent[i], _ = part.Float64()
	}
	if line := sparkline(spent, out.Width-sparkIndent); line != "" {
		fields = append(fields, cli.Field{"spent", line})
	}
	return out.Fields(fields)
}

func forecastText(w *wallet.Runway) string {
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
	return fmt.Sprintf("in about %s, on %s", daysText(f.DaysMedian), f.Median.Format(time.DateOnly))
}

// mostDays is how far a forecast reaches; it says nothing beyond.
const mostDays = 3650

// daysText is a number of days for people, in shorter units where it is short.
func daysText(days float64) string {
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

// about is an amount of wei, rounded to what a person reads.
func about(amount *big.Rat) string {
	const digits = 5
	approximate, decimal := "", amount.FloatString(0)
	if len(decimal) > digits {
		approximate, decimal = "~", decimal[:digits]+strings.Repeat("0", len(decimal)-digits)
	}
	rounded, _ := new(big.Rat).SetString(decimal)
	return approximate + wei.Format(rounded)
}

// sparkIndent is the room that a sparkline's name takes.
const sparkIndent = 15

// sparkline draws values as a row of bars, the largest of which fills its cell. More
// values than fit are added up. It is "" when all are 0.
func sparkline(values []float64, width int) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	cells := values
	if len(values) > width {
		cells = make([]float64, width)
		for i, v := range values {
			cells[i*width/len(values)] += v
		}
	}
	line, largest := "", slices.Max(append([]float64{0}, cells...))
	for _, v := range cells {
		if v <= 0 {
			line += " "
			continue
		}
		line += string(bars[min(len(bars)-1, int(v/largest*float64(len(bars))))])
	}
	return strings.TrimRight(line, " ")
}
