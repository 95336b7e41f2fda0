// Package look has the commands that change nothing: status, doctor, history, runway,
// budget and the plan of a funding.
package look

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
)

type statusOptions struct {
	cli.WalletOptions
	watch                  bool
	interval               time.Duration
	check                  bool
	minDeposit, minReserve string
	out                    string
}

// NewStatus is pmctl status.
func NewStatus(r *cli.Run) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status [ADDRESS]",
		Short: "Show balance, deposit, reserve and any problems",
		Long: `Show the balance of an account, its deposit and reserve in the TicketBroker
contract, whether they are locked, what a recipient with default settings would
offer, and warnings. Without ADDRESS this is your own account. No key is opened.

--watch repeats this until you interrupt it (exit code 130): on a terminal it
redraws, in a pipe it prints one JSON document per line.

--check prints one line, or fails: with exit code 4 if the deposit or the
reserve is missing, below --min-deposit or --min-reserve, or too small for a
recipient with default settings; 5 if the funds are being unlocked; 7 if the
node is behind; 1 for any other warning. Notices do not fail.

--output prometheus prints metrics for the textfile collector of the node
exporter, including spending, budget and runway; --out replaces its file in one
step.`,
		Example: `  pmctl status
  pmctl status 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --output json
  pmctl status --watch --interval 30s
  pmctl status --check --min-deposit 0.05eth --quiet >/dev/null
  pmctl status --output prometheus \
    --out /var/lib/node_exporter/textfile/pmctl.prom`,
		RunE: func(cmd *cobra.Command, args []string) error { return runStatus(cmd, r, &o, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.watch, "watch", false, "repeat until interrupted")
	flags.DurationVar(&o.interval, "interval", defaultInterval, "read the chain every `DURATION` with --watch, at least 1s")
	flags.BoolVar(&o.check, "check", false, "print one line, and fail if there is a problem")
	flags.StringVar(&o.minDeposit, "min-deposit", "", "require a deposit of at least `AMOUNT` with --check (default: any)")
	flags.StringVar(&o.minReserve, "min-reserve", "", "require a reserve of at least `AMOUNT` with --check (default: any)")
	flags.StringVar(&o.out, "out", "", "replace `FILE` with the metrics instead of printing them")
	dialect.Relate(cmd, dialect.Exclusive, "watch", "check")
	o.RegisterLooking(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, outputPrometheus)
	return cmd
}

// statusView is what is needed to look at an account's status, once or more often.
type statusView struct {
	*cli.Run
	*statusOptions
	reader *wallet.Reader
	wanted check.Wanted
}

func runStatus(cmd *cobra.Command, r *cli.Run, o *statusOptions, args []string) error {
	ctx := cmd.Context()
	switch {
	case !o.watch && cmd.Flags().Changed("interval"):
		return cli.Usagef("--interval has no effect without --watch")
	case o.watch && o.interval < time.Second:
		return cli.Usagef("--interval %s: it must be at least 1s", duration.Text(o.interval))
	case o.out != "" && r.Output != outputPrometheus:
		return cli.Usagef("--out is for metrics: pass --output prometheus, or redirect stdout")
	case o.watch && o.out == "" && r.Output == outputPrometheus:
		return cli.Usagef("--watch with --output prometheus needs --out FILE")
	case o.check && r.Output == outputPrometheus:
		return cli.Usagef("--check does not go with --output prometheus")
	}
	v := &statusView{Run: r, statusOptions: o}
	settings, err := r.Settings()
	if err != nil {
		return err
	}
	if v.wanted, err = o.wanted(settings); err != nil {
		return err
	}
	if v.reader, err = o.OpenReader(ctx, r, args); err != nil {
		return err
	}
	defer v.reader.Close()
	if o.watch {
		return v.watching(ctx)
	}
	result, err := v.look(ctx)
	if err != nil {
		return err
	}
	if o.check {
		return v.judge(result)
	}
	return v.show(ctx, result)
}

func (v *statusView) look(ctx context.Context) (*check.Document, error) {
	status, err := v.reader.Status(ctx, v.wanted)
	if err != nil {
		return nil, err
	}
	return check.NewDocument(status), nil
}

func (v *statusView) show(ctx context.Context, result *check.Document) error {
	if v.Output == outputPrometheus {
		return v.writeMetrics(ctx, result)
	}
	return v.Emit("pmctl.status", result, func(w *page.Page) { writeStatus(w, result, v.Verbose) })
}
