package past

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/plot"
	"github.com/pmctl/pmctl/wallet/wei"
)

type runwayOptions struct {
	cli.ScanOptions
	plot plotOptions
}

// NewRunway is pmctl runway.
func NewRunway(r *cli.Run) *cobra.Command {
	var o runwayOptions
	cmd := &cobra.Command{
		Use:   "runway",
		Short: "Forecast how long the deposit lasts",
		Long: `Forecast when the deposit can no longer pay a winning ticket in full, from the
spending so far: the tickets in the ledger of the store, and the redemptions on
the chain. The date has a band that contains it with a probability of 90 %. The
band is wider after a short or uneven past.

If another process pays from the same account with a store of its own, the
ledger is incomplete, and only the redemptions count. No key is opened.`,
		Example: `  pmctl runway
  pmctl runway --since 7d --plot runway.svg
  pmctl runway --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRunway(r, cmd, &o) },
	}
	cmd.Flags().StringVar(&o.Since, "since", "30d", "use the spending since `TIME`: an age (12h, 30d, 2w), a day or a time")
	o.plot.register(cmd, "deposit, reserve and expected value over time, with the forecast,")
	o.Register(cmd)
	return cmd
}

func runRunway(r *cli.Run, cmd *cobra.Command, o *runwayOptions) error {
	file, err := o.plot.begin(r, cmd)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, past, err := o.Open(cmd.Context(), r)
	if err != nil {
		return err
	}
	defer reader.Close()
	told, err := reader.Runway(cmd.Context(), past)
	if err != nil {
		return err
	}
	if err := finish(plot.Runway(told), r, file); err != nil {
		return err
	}
	return r.Emit("pmctl.runway", told, func(w *page.Page) { writeRunway(w, told) })
}

// writeRunway prints when the deposit is empty, then what that follows from. Without a forecast, less
// than a day shows no rate by the day, and no course.
func writeRunway(out *page.Page, w *wallet.Runway) {
	short := w.Forecast == nil && w.Until.Sub(w.Since) < 24*time.Hour
	perDay := func(text string, rate *big.Rat) string {
		if short || rate.Sign() == 0 {
			return text
		}
		return text + ", " + plot.About(rate) + " a day"
	}
	fields := []page.Field{{"empty", plot.Outlook(w)}}
	if f := w.Forecast; f != nil && f.DaysHigh > 0 {
		fields = append(fields, page.Field{"90 %", fmt.Sprintf("%s to %s", plot.Ahead(f.DaysLow), plot.Ahead(f.DaysHigh))})
	}
	fields = append(fields,
		page.Field{"deposit", w.Deposit.String()},
		page.Field{"reserve", w.Reserve.String()},
		page.Field{"made", perDay(fmt.Sprintf("%s worth %s", words.Count(w.Made.Tickets, "ticket"), plot.About(w.Made.TotalEVExact.Rat)), w.EVPerDayExact.Rat)},
		page.Field{"paid", perDay(fmt.Sprintf("%s for %s, %s expected", wei.Format(w.Paid), words.Count(w.Redemptions, "win"), plot.Number(w.ExpectedWins)), w.PaidPerDay)},
	)
	if w.Outstanding.Tickets > 0 {
		fields = append(fields, page.Field{"outstanding", fmt.Sprintf("%s, at worst %s", words.Count(w.Outstanding.Tickets, "ticket"), wei.Format(w.Outstanding.FaceValue))})
	}
	if w.Unmatched > 0 {
		fields = append(fields, page.Field{"ledger", fmt.Sprintf("lacks %d of the wins: the forecast goes by the wins", w.Unmatched)})
	}
	fields = append(fields,
		page.Field{"observed", fmt.Sprintf("%s since %s", plot.Days(w.Until.Sub(w.Since).Hours()/24), w.Since.Format(time.RFC3339))},
		page.Field{"sender", common.Address(w.Sender).Hex()},
	)
	if short {
		out.Fields(fields)
		return
	}
	spent := make([]float64, len(w.SpentExact))
	for i, part := range w.SpentExact {
		spent[i], _ = part.Float64()
	}
	out.Fields(append(fields, page.Field{"spent", sparkline(spent, out.Width-sparkIndent)}))
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
