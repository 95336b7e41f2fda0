package look

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
)

// NewDoctor is pmctl doctor.
func NewDoctor(r *cli.Run) *cobra.Command {
	var o cli.PayerOptions
	cmd := &cobra.Command{
		Use:   "doctor [URL]",
		Short: "Diagnose why payments or transactions fail",
		Long: `Check everything that payments and transactions need: config files, key file and
passphrase, node, contracts, funds, store, budget, and pending transactions.
With the URL of a recipient, also ask it for ticket params and check them
against your limits, as a payment does. Nothing is paid, sent or changed.

For each failure doctor prints the value it found, the value that is allowed,
whose setting that is, and a command that helps. A check that depends on a
failed one is skipped. Payments work in spite of warnings. Recipients keep their
own settings to themselves; doctor assumes the defaults of go-livepeer.

The exit code is 0 if no check failed, else the code of the first failure.`,
		Example: `  pmctl doctor
  pmctl doctor https://recipient.example
  pmctl doctor --jq '.data.checks[] | select(.state == "failed")'`,
		RunE: func(cmd *cobra.Command, args []string) error { return runDoctor(r, cmd, &o, args) },
	}
	o.RegisterReading(cmd)
	return cmd
}

// diagnosis is what the checks of this machine have found out, and the subject of the others.
type diagnosis struct {
	check.Subject
	run *cli.Run
	o   *cli.PayerOptions
	// end ends all checks, for a person who does not want to go on.
	end context.CancelCauseFunc
}

func runDoctor(r *cli.Run, cmd *cobra.Command, o *cli.PayerOptions, args []string) error {
	err := o.Network.CheckTimeout()
	if err != nil {
		return err
	}
	ctx, end := context.WithCancelCause(cmd.Context())
	defer end(nil)
	d := &diagnosis{run: r, o: o, end: end}
	defer func() {
		if d.Key != nil {
			d.Key.Close()
		}
	}()
	d.Now, d.Store = r.Now, func() (string, error) { return o.Store.Choose(r.Env) }
	if len(args) == 1 {
		if d.URL, err = pay.ParseURL(args[0]); err != nil {
			return cli.Usage(err)
		}
		if cmd.Flags().Changed("timeout") {
			d.RecipientTimeout = o.Network.Timeout
		}
	}
	checks, closing := check.Wallet(&d.Subject)
	defer closing()
	result := doctorResult{check.Run(ctx, append(d.local(), checks...))}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := r.Emit("pmctl.doctor", result, result.write); err != nil {
		return err
	}
	for _, f := range result.Checks {
		if f.State == check.Failed {
			return fmt.Errorf("%d of %d checks failed, the first is %s: %w", result.count(check.Failed), len(result.Checks), f.ID, f.Err)
		}
	}
	return nil
}

// asked is the error of something that a person may have been asked for. A user who
// cancels wants no more checks.
func (d *diagnosis) asked(err error) error {
	if errors.Is(err, cli.ErrCancelled) {
		d.end(err)
	}
	return err
}

// failed is check.Fail with the hints that are the command line's.
func failed(err error, allowed, knob string) check.Finding {
	f := check.Fail(err, allowed, knob)
	f.Fix = cli.HintFor(err)
	return f
}

// doctorResult is what pmctl doctor answers.
type doctorResult struct {
	Checks []check.Finding `json:"checks"`
}

func (d doctorResult) count(state check.State) int {
	n := 0
	for _, c := range d.Checks {
		if c.State == state {
			n++
		}
	}
	return n
}

// doctorWords are the states as people read them.
var doctorWords = map[check.State]string{check.OK: "ok", check.Failed: "FAILED", check.Skipped: "-", check.Warning: "warning"}

// write prints a line a check, and what there is to say about a fault under it.
func (d doctorResult) write(w *page.Page) {
	width := 0
	for _, c := range d.Checks {
		width = max(width, len(c.ID))
	}
	var b strings.Builder
	for _, c := range d.Checks {
		word := doctorWords[c.State]
		line := cli.Verdict(w.Colours, c.State, word) + strings.Repeat(" ", len("warning")-len(word)) + fmt.Sprintf("  %-*s  ", width, c.ID)
		w.Hang(&b, line, page.PlainLines(c.Found), doctorIndent)
		for _, more := range []page.Field{{"allowed", c.Allowed}, {"set by", c.Knob}, {"fix", c.Fix}} {
			if more[1] != "" {
				w.Hang(&b, strings.Repeat(" ", doctorIndent)+w.Dim(fmt.Sprintf("%-7s", more[0]))+"  ", page.PlainLines(more[1]), doctorIndent)
			}
		}
	}
	b.WriteString("\n" + d.summary(w) + "\n")
	w.Print(b.String())
}

func (d doctorResult) summary(w *page.Page) string {
	ok := fmt.Sprintf("%d ok", d.count(check.OK))
	if d.count(check.OK) == len(d.Checks) {
		return w.Green(ok)
	}
	parts := []string{ok}
	if n := d.count(check.Failed); n > 0 {
		parts = append(parts, w.Red(fmt.Sprintf("%d failed", n)))
	}
	if n := d.count(check.Warning); n > 0 {
		parts = append(parts, w.Yellow(words.Count(n, "warning")))
	}
	if n := d.count(check.Skipped); n > 0 {
		parts = append(parts, w.Dim(fmt.Sprintf("%d not checked", n)))
	}
	return strings.Join(parts, ", ")
}

// doctorIndent is where texts stand that have a word too long for the room beside their check.
const doctorIndent = 11
