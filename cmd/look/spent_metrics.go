package look

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
)

// forecastFrom is how far back the forecast goes, as pmctl runway does by default.
const forecastFrom = 30 * 24 * time.Hour

// spentMetrics are what was spent by the ledger and the chain. If they cannot be read, the
// monitor still gets the account's status, and stderr says what is missing.
func (v *statusView) spentMetrics(ctx context.Context) ([]metric, error) {
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

func activityMetrics(a *wallet.Activity) []metric {
	all := []metric{
		counter("pmctl_tickets_total", "Tickets made with this store.", strconv.FormatUint(a.Made.Tickets, 10)),
		counter("pmctl_ticket_ev_wei_total", "Expected value of the tickets made with this store.", wholeWei(a.Made.EV)),
		counter("pmctl_wins_total", "Winning tickets redeemed since this store's first ticket.", strconv.FormatUint(a.Wins, 10)),
		counter("pmctl_paid_wei_total", "What those winning tickets were paid.", wholeWei(a.Paid)),
	}
	spent := gauge("pmctl_day_spent_wei", "What the tickets made today (UTC) come to, as expected value and as face value.")
	left := gauge("pmctl_budget_left_wei", "What the budget of the day leaves to spend.")
	for _, line := range a.Budget.Lines {
		if line.Recipient != nil {
			continue
		}
		kind := label("kind", line.Kind)
		spent.samples = append(spent.samples, sample{kind, wholeWei(line.SpentExact.Rat)})
		if rest := a.Budget.Left(line); rest != nil {
			left.samples = append(left.samples, sample{kind, new(big.Int).Quo(rest.Num(), rest.Denom()).String()})
		}
	}
	all = append(all, spent)
	if len(left.samples) > 0 {
		all = append(all, left)
	}
	if f := a.Forecast; f != nil {
		runway := gauge("pmctl_runway_seconds", fmt.Sprintf("How long the deposit lasts, with a probability of %.0f %% from low to high.", 100*f.Confidence))
		for _, bound := range []struct {
			name string
			days float64
		}{{"low", f.DaysLow}, {"median", f.DaysMedian}, {"high", f.DaysHigh}} {
			runway.samples = append(runway.samples, sample{label("estimate", bound.name), strconv.FormatFloat(bound.days*24*60*60, 'f', 0, 64)})
		}
		all = append(all, runway)
	}
	return all
}

// wholeWei is an amount of wei, rounded up to a whole one.
func wholeWei(amount *big.Rat) string {
	q, m := new(big.Int).DivMod(amount.Num(), amount.Denom(), new(big.Int))
	if m.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q.String()
}
