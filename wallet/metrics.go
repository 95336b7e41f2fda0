package wallet

import (
	"fmt"
	"math/big"
	"strconv"

	"github.com/pmctl/pmctl/internal/metrics"
)

// Metrics are what was spent today on all recipients, and what the limits leave.
func (b *Budget) Metrics() []metrics.Metric {
	spent := metrics.Gauge("pmctl_day_spent_wei", "What the tickets made today (UTC) come to, as expected value and as face value.")
	left := metrics.Gauge("pmctl_budget_left_wei", "What the budget of the day leaves to spend.")
	for _, line := range b.Lines {
		if line.Recipient != nil {
			continue
		}
		kind := metrics.Label("kind", line.Kind)
		spent.Samples = append(spent.Samples, metrics.Sample{Labels: kind, Value: metrics.Whole(line.SpentExact.Rat)})
		if rest := b.Left(line); rest != nil {
			left.Samples = append(left.Samples, metrics.Sample{Labels: kind, Value: new(big.Int).Quo(rest.Num(), rest.Denom()).String()})
		}
	}
	return []metrics.Metric{spent, left}
}

// Metrics are how long the deposit lasts; none without a forecast.
func (f *Forecast) Metrics() []metrics.Metric {
	if f == nil {
		return nil
	}
	runway := metrics.Gauge("pmctl_runway_seconds", fmt.Sprintf("How long the deposit lasts, with a probability of %.0f %% from low to high.", 100*f.Confidence))
	for _, bound := range []struct {
		name string
		days float64
	}{{"low", f.DaysLow}, {"median", f.DaysMedian}, {"high", f.DaysHigh}} {
		seconds := strconv.FormatFloat(bound.days*24*60*60, 'f', 0, 64)
		runway.Samples = append(runway.Samples, metrics.Sample{Labels: metrics.Label("estimate", bound.name), Value: seconds})
	}
	return []metrics.Metric{runway}
}
