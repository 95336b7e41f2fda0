// Package look has the commands that change nothing: status, doctor, history, runway,
// budget and the plan of a funding.
package look

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
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

// writeStatus prints the status for a person, with the contracts' addresses if they are asked for,
// and then a paragraph for each problem.
func writeStatus(w *page.Page, s *check.Document, withContracts bool) {
	fields := statusFields(w, s)
	if withContracts {
		fields = append(fields, contractFields(s)...)
	}
	w.Fields(fields)
	for _, warning := range s.Warnings {
		label := w.Dim("notice:") + " "
		if warning.Problem {
			label = w.Yellow("warning:") + " "
		}
		w.Paragraph(label + warning.Message)
	}
}

// readiness is whether tickets can be made and paid, in a few words.
func readiness(w *page.Page, s *check.Document) string {
	problems := 0
	for _, warning := range s.Warnings {
		if warning.Problem {
			problems++
		}
	}
	if problems > 0 {
		return w.Yellow(words.Count(problems, "problem") + ", see below")
	}
	return w.Green("ready to pay")
}

func statusFields(w *page.Page, s *check.Document) []page.Field {
	round, block := s.Round.Current.String(), fmt.Sprint(s.Block.Number)
	if !s.Round.Initialized {
		round += " (not initialized; last initialized " + s.Round.LastInitialized.String() + ")"
	}
	if s.Block.L1Block != s.Block.Number {
		block += fmt.Sprintf(" (L1 block %d)", s.Block.L1Block)
	}
	offer := w.Yellow("none") + ": the reserve is too small for a typical orchestrator"
	if s.Offer.Accepted {
		offer = fmt.Sprintf("face value %s (typical orchestrator)", s.Offer.FaceValue)
	}
	unlocking, withdrawAt := "", ""
	if s.ReadyAt != nil {
		withdrawAt = "about " + s.ReadyAt.Format(time.RFC3339)
	}
	if s.WithdrawRound != nil {
		unlocking = fmt.Sprintf("%s; withdraw from round %s (%s left)", w.Yellow("unlocking"), s.WithdrawRound, words.Plural(s.RoundsLeft.String(), "round"))
	}
	lock := map[broker.Lock]string{
		broker.Empty:     "nothing is deposited",
		broker.Locked:    w.Green("locked"),
		broker.Unlocking: unlocking,
		broker.Unlocked:  w.Yellow("unlocked") + "; pmctl withdraw pays out",
	}[s.Lock]
	reserve := s.Reserve.String()
	if s.ReservePerRecipient != s.Reserve {
		reserve += fmt.Sprintf(" (%s per recipient)", s.ReservePerRecipient)
	}
	return []page.Field{
		{"status", readiness(w, s)},
		{"deposit", s.Deposit.String()},
		{"reserve", reserve},
		{"lock", lock},
		{"withdraw at", withdrawAt},
		{"offer", offer},
		{"balance", s.Balance.String()},
		{"account", common.Address(s.Account).Hex()},
		{"network", fmt.Sprintf("%s (chain ID %s)", s.Network, s.ChainID)},
		{"round", round},
		{"block", block + " at " + s.Block.Time.Format(time.RFC3339)},
		{"paused", page.If(s.Paused, w.Red("the contracts are paused")+": nothing can be sent")},
	}
}

func contractFields(s *check.Document) []page.Field {
	c := s.Contracts
	hex := func(a format.Address) string { return common.Address(a).Hex() }
	return []page.Field{
		{"controller", hex(c.Controller)},
		{"ticket broker", hex(c.TicketBroker)},
		{"rounds manager", hex(c.RoundsManager)},
		{"bonding manager", hex(c.BondingManager)},
		{"service registry", hex(c.ServiceRegistry)},
	}
}
