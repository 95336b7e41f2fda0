package funds

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/cache"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/systemd"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/topup"
	"github.com/pmctl/pmctl/wallet/wei"
)

type autoOptions struct {
	cli.WalletOptions
	sender   string
	once     bool
	interval time.Duration
	keep     wallet.KeepOptions
	metrics  string
	notify   notifyOptions
}

// shortestInterval is about the time between two L1 blocks.
const shortestInterval = 12 * time.Second

func newAuto(r *cli.Run) *cobra.Command {
	var o autoOptions
	cmd := &cobra.Command{
		Use:   "auto",
		Short: "Keep deposit and reserve topped up",
		Long: `Check the deposit and the reserve every --interval, and add what is missing. The
section [fund_auto] of the config file has the rules: how large the deposit and
the reserve must be, how much pmctl may move in a day and in total, and how much
must stay in the account for gas. pmctl asks for no confirmation: the rules are
your consent.

Each top-up has its own request ID: if a run is killed, the next one continues
its top-up, and if several run at once, only one sends it. pmctl adds nothing
during an unlock or after a withdrawal.

With --for, the account of --from pays for another account, such as a signer's.
The deposit and the reserve then belong to that account, and only it can
withdraw them. An agent does not sign such a transaction, so pmctl opens the key
file.

With --once, pmctl checks once and exits: with code 0 if the funds are
sufficient, 3 if a bound of the rules or an unlock prevents a top-up, and 4 if
the paying account has too little. Otherwise pmctl runs until you stop it, and
reports top-ups and what prevents them. --events-file and --notify-command send
the same reports to a server or a program, and repeat an unchanged one once a
day.`,
		Example: `  pmctl fund auto --dry-run
  pmctl fund auto --once --output json
  pmctl fund auto --from 0x… --for 0x… --interval 10m \
    --events-file events-url --metrics-file /var/lib/node_exporter/fund.prom`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAuto(r, cmd, &o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.sender, "for", "", "top up the deposit and the reserve of `ADDRESS` instead of your own")
	flags.BoolVar(&o.once, "once", false, "check once and exit, for a timer")
	flags.DurationVar(&o.interval, "interval", 5*time.Minute, "check every `DURATION`, at least 12s")
	flags.BoolVar(&o.keep.DryRun, "dry-run", false, "check once and show what would be added, without opening a key or sending anything")
	flags.StringVar(&o.metrics, "metrics-file", "", "write metrics to `FILE` after each check, for the textfile collector of the Prometheus node exporter")
	o.notify.register(cmd)
	dialect.Relate(cmd, dialect.Exclusive, "dry-run", "events-file")
	dialect.Relate(cmd, dialect.Exclusive, "dry-run", "notify-command")
	o.RegisterSending(cmd)
	return cmd
}

func runAuto(r *cli.Run, cmd *cobra.Command, o *autoOptions) error {
	ctx := cmd.Context()
	o.once = o.once || o.keep.DryRun
	switch {
	case o.interval < shortestInterval:
		return cli.Usagef("--interval %s: it must be at least %s", duration.Text(o.interval), duration.Text(shortestInterval))
	case o.Account.Keys.FD.Given && !o.once:
		return cli.Usagef("--key-fd can be read only once, and each top-up needs the key: use a key file, or pass --once")
	}
	var err error
	if o.keep.Rules, err = rulesOf(r); err != nil {
		return err
	}
	if o.keep.Sender, err = beneficiary(o.sender); err != nil {
		return err
	}
	tell, err := o.notify.notifier(r.Env)
	if err != nil {
		return err
	}
	w, err := cli.OpenSending(ctx, r, &o.WalletOptions, o.keep.Sender)
	if err != nil {
		return err
	}
	defer w.Close()
	if !o.once {
		// A key that cannot be opened is better found out now than when funds are short.
		if _, err := w.Account.Unlock(ctx); err != nil {
			return err
		}
		w.Account.Close()
	}
	a := &auto{Run: r, autoOptions: o, wallet: w, tell: tell}
	if o.once {
		return a.look(ctx)
	}
	return a.run(ctx)
}

func rulesOf(r *cli.Run) (topup.Rules, error) {
	settings, err := r.Settings()
	if err != nil {
		return topup.Rules{}, err
	}
	rules, _, err := settings.FundAuto()
	if err != nil {
		err = cli.WithHint(cli.Usagef("[%s]: %w", topup.Section, err), "set the rules in the section [%s] of the config file; pmctl config show lists them", topup.Section)
	}
	return rules, err
}

// auto looks at funds, and reports what it did.
type auto struct {
	*cli.Run
	*autoOptions
	wallet *wallet.Wallet
	tell   *notifier
}

// run looks until ctx ends. A look that fails is followed by others.
func (a *auto) run(ctx context.Context) error {
	manager := systemd.FromEnvironment(a.Getenv)
	if err := manager.Notify(systemd.Ready); err != nil {
		a.Note("cannot notify the service manager: %v", err)
	}
	a.Note("checking deposit and reserve every %s; press Ctrl-C to stop", duration.Text(a.interval))
	ticker := time.NewTicker(a.interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := a.look(ctx); errors.As(err, new(*outputError)) {
			return err
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	_ = manager.Notify(systemd.Stopping) // it sees the process end
	return nil
}

// outputError is a result that could not be printed.
type outputError struct{ error }

func (e *outputError) Unwrap() error { return e.error }

// look looks once, and again after a top-up that an earlier run began: what is shown is that top-up
// if nothing was needed beside it.
func (a *auto) look(ctx context.Context) error {
	result, fresh, err := a.report(ctx)
	if err == nil && result.Resumed && !a.keep.DryRun {
		next, nextFresh, nextErr := a.report(ctx)
		if err = nextErr; next.Outcome != wallet.TopUpEnough {
			result, fresh = next, nextFresh
		}
	}
	if ctx.Err() != nil && result.Outcome == wallet.TopUpCannot {
		return err // what is sent, the next run continues
	}
	if a.once || fresh || len(result.Warnings) > 0 {
		if failed := a.show(result, err); failed != nil {
			return &outputError{failed}
		}
	}
	return err
}

// report looks once, and reports what is news to others than the user.
func (a *auto) report(ctx context.Context) (result wallet.TopUp, fresh bool, err error) {
	result, err = a.wallet.KeepFunded(ctx, a.keep)
	if ctx.Err() != nil && result.Outcome == wallet.TopUpCannot {
		return result, false, err
	}
	if fresh = a.tell.fresh(result, a.Now()); fresh {
		result.Warnings = a.tell.send(ctx, result)
	}
	if a.metrics != "" {
		if failed := cache.Swap(a.metrics, result.Metrics(), 0o644); failed != nil {
			result.Warnings = append(result.Warnings, format.Warning{Code: "metrics_not_written", Message: fmt.Sprintf("--metrics-file %s: %v", a.metrics, failed)})
		}
	}
	return result, fresh, err
}

// show prints a look. In a loop each is a line of JSON, or a paragraph.
func (a *auto) show(result wallet.TopUp, err error) error {
	const kind = "pmctl.fund_auto"
	write := func(w *page.Page) { writeTopUp(w, result) }
	switch {
	case a.once && result.Outcome == wallet.TopUpFunded:
		return a.EmitDone("the top-up "+result.RequestID+" is mined", kind, result, write)
	case a.once && err != nil && result.Outcome != wallet.TopUpPlanned && a.Output != cli.OutputJSON:
		return nil // the error says it
	case a.once:
		return a.Emit(kind, result, write)
	case a.Output == cli.OutputJSON:
		return format.WriteLine(a.Out, kind, result)
	}
	out := cli.OutPage(a.Run)
	writeTopUp(out, result)
	out.Print("\n")
	return out.Err()
}

func writeTopUp(w *page.Page, t wallet.TopUp) {
	outcome := map[string]string{
		wallet.TopUpEnough: w.Green("enough"), wallet.TopUpFunded: w.Green("topped up"), wallet.TopUpPlanned: "would top up", wallet.TopUpCannot: w.Yellow("cannot top up"),
	}[t.Outcome]
	fields := []page.Field{
		{"outcome", outcome},
		{"account", common.Address(t.Sender).Hex()},
		{"paid by", page.If(t.Payer != t.Sender, common.Address(t.Payer).Hex())},
	}
	if f := t.Funds; f != nil {
		part := func(have, need, add wei.Wei) string {
			return fmt.Sprintf("%s, needs %s", have, need) + page.If(!add.IsZero(), fmt.Sprintf(", adds %s", add))
		}
		fields = append(fields,
			page.Field{"deposit", part(f.Deposit, f.NeedDeposit, f.AddDeposit)},
			page.Field{"reserve", part(f.Reserve, f.NeedReserve, f.AddReserve)},
			page.Field{"balance", f.Balance.String()},
			page.Field{"moved before", fmt.Sprintf("%s today, %s in all", f.MovedToday, f.MovedTotal)})
	}
	if t.Transaction != nil {
		fields = append(fields, page.Field{"transaction", t.Transaction.Hash.Hex()})
	}
	fields = append(fields, page.Field{"time", t.At.Format(time.RFC3339)})
	w.Fields(fields)
	if t.Message != "" {
		w.Paragraph(w.Yellow("warning:") + " " + t.Message)
	}
	for _, warning := range t.Warnings {
		w.Paragraph(w.Yellow("warning:") + " " + strings.TrimSpace(warning.Message))
	}
}
