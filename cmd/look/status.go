// Package look has the commands that change nothing: status, doctor, history, runway,
// budget and the plan of a funding.
package look

import (
	"context"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/check"
)

// statusOptions are the options of pmctl status.
type statusOptions struct {
	cli.ReaderOptions
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
		Short: "Show where an account stands, and what is wrong with that",
		Long: `Status shows what an account holds, what it has deposited with the TicketBroker
contract, whether that is locked, what a recipient with the usual settings would
ask for, and warnings. Without ADDRESS it is your own account; no key is opened.

With --watch it shows that again and again until it is interrupted, which is
exit code 130: on a terminal in the same place, in a pipe as a line of JSON each
time.

With --check it prints one line, or fails with what is wrong: exit code 4 for a
deposit or reserve that is missing, below --min-deposit or --min-reserve, or too
small for a typical recipient, 5 for funds that are being unlocked, 7 for a node
that is behind, 1 for anything else. What is only worth a notice does not fail.

With --output prometheus it writes metrics for the textfile collector of the
node exporter, with what was spent, the budget and the runway; --out replaces
the file that it reads, in one step.`,
		Example: `  pmctl status
  pmctl status 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed --output json
  pmctl status --watch --interval 30s
  pmctl status --check --min-deposit 0.05eth --quiet >/dev/null
  pmctl status --output prometheus \
    --out /var/lib/node_exporter/textfile/pmctl.prom`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runStatus(cmd.Context(), r, &o, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.watch, "watch", false, "show it again and again")
	flags.DurationVar(&o.interval, "interval", 12*time.Second, "`TIME` from one look to the next with --watch, at least 1s")
	flags.BoolVar(&o.check, "check", false, "print one line, and fail when something is wrong")
	flags.StringVar(&o.minDeposit, cli.MinDeposit().Flag[2:], "", "least `AMOUNT` of deposit for --check (default any)")
	flags.StringVar(&o.minReserve, cli.MinReserve().Flag[2:], "", "least `AMOUNT` of reserve for --check (default any)")
	flags.StringVar(&o.out, "out", "", "`FILE` to replace with the metrics, in place of stdout")
	cmd.MarkFlagsMutuallyExclusive("watch", "check")
	o.Register(cmd)
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

func runStatus(ctx context.Context, r *cli.Run, o *statusOptions, args []string) error {
	switch {
	case o.watch && o.interval < time.Second:
		return cli.Usagef("--interval %s: it must be at least 1s", o.interval)
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
	if v.reader, err = o.Open(ctx, r, args); err != nil {
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

func (v *statusView) look(ctx context.Context) (*statusResult, error) {
	status, err := v.reader.Status(ctx, v.wanted)
	if err != nil {
		return nil, err
	}
	return newStatusResult(status), nil
}

// show writes the status in the format that was asked for.
func (v *statusView) show(ctx context.Context, result *statusResult) error {
	if v.Output == outputPrometheus {
		return v.writeMetrics(ctx, result)
	}
	return v.Emit("pmctl.status", result, func(w *cli.Page) error { return result.write(w, v.Verbose) })
}
