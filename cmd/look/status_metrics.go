package look

import (
	"context"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/cache"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
)

// outputPrometheus is the format of the textfile collector.
const outputPrometheus = "prometheus"

// forecastFrom is how far back the forecast goes, as pmctl runway does by default.
const forecastFrom = 30 * 24 * time.Hour

// spent is what was spent by the ledger and the chain. If that cannot be read, the monitor still gets
// the account's status, and stderr says what is missing.
func (v *statusView) spent(ctx context.Context) (*wallet.Activity, error) {
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
	}
	return spent, nil
}

// writeMetrics writes the metrics to stdout, or in place of the file of --out.
func (v *statusView) writeMetrics(ctx context.Context, s *check.Document) error {
	spent, err := v.spent(ctx)
	if err != nil {
		return err
	}
	text := wallet.StatusMetrics(s.Status, spent)
	if v.out == "" {
		_, err := v.Out.Write(text)
		return err
	}
	if err := cache.Swap(v.out, text, 0o644); err != nil {
		return fmt.Errorf("--out %s: %w", v.out, err)
	}
	return nil
}
