package look

import (
	"context"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/metrics"
	"github.com/pmctl/pmctl/wallet"
)

// forecastFrom is how far back the forecast goes, as pmctl runway does by default.
const forecastFrom = 30 * 24 * time.Hour

// spentMetrics are what was spent by the ledger and the chain. If they cannot be read, the
// monitor still gets the account's status, and stderr says what is missing.
func (v *statusView) spentMetrics(ctx context.Context) ([]metrics.Metric, error) {
	limits, err := new(cli.LimitOptions).Limits(v.Env)
	if err != nil {
		return nil, err
	}
	spent, err := v.reader.Activity(ctx, limits, forecastFrom)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		v.Note("metrics of tickets, wins and runway are missing: %v", err)
		return nil, nil
	case spent == nil:
		return nil, nil
	}
	return activityMetrics(spent), nil
}

func activityMetrics(a *wallet.Activity) []metrics.Metric {
	all := []metrics.Metric{
		metrics.Counter("pmctl_tickets_total", "Tickets made with this store.", metrics.One(strconv.FormatUint(a.Made.Tickets, 10))...),
		metrics.Counter("pmctl_ticket_ev_wei_total", "Expected value of the tickets made with this store.", metrics.One(metrics.Whole(a.Made.EV))...),
		metrics.Counter("pmctl_wins_total", "Winning tickets redeemed since this store's first ticket.", metrics.One(strconv.FormatUint(a.Wins, 10))...),
		metrics.Counter("pmctl_paid_wei_total", "What those winning tickets were paid.", metrics.One(metrics.Whole(a.Paid))...),
	}
	return append(append(all, a.Budget.Metrics()...), a.Forecast.Metrics()...)
}
