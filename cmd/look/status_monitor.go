package look

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/cache"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/config"
)

// wanted is what the command line says that an account must have, or else the config files.
func (o *statusOptions) wanted(s *config.Settings) (check.Wanted, error) {
	var wanted check.Wanted
	wanted.Deposit, wanted.Reserve = cli.Thresholds(s)
	for _, t := range []struct {
		flag, text string
		into       *check.Threshold
	}{{"--min-deposit", o.minDeposit, &wanted.Deposit}, {"--min-reserve", o.minReserve, &wanted.Reserve}} {
		if t.text != "" {
			amount, err := cli.ParseAmount(t.flag, t.text)
			if err != nil {
				return wanted, err
			}
			*t.into = check.Threshold{Least: &amount, From: t.flag}
		}
	}
	limits, err := s.Limits()
	wanted.DepositMultiplier = limits.DepositMultiplier
	return wanted, err
}

// judge is a check: one line when nothing is wrong, and an error with all that is.
func (v *statusView) judge(result *check.Document) error {
	var problems string
	var first error
	for _, w := range result.Warnings {
		switch {
		case !w.Problem:
		case problems == "":
			problems, first = w.Message, w.Err
		default:
			problems = strings.TrimSuffix(problems, ".") + "; " + w.Message
		}
	}
	if problems == "" || v.Output == cli.OutputJSON {
		err := v.Emit("pmctl.status", result, func(w *page.Page) {
			w.Print(fmt.Sprintf("ok: deposit %s, reserve %s, %s\n", result.Deposit, result.Reserve, result.Lock))
		})
		if err != nil {
			return err
		}
	}
	if problems == "" {
		return nil
	}
	return cli.WithHint(hint.Kind(first, errors.New(problems)), "pmctl status shows all of it")
}

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
