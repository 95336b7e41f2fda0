package runner

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
)

type listOptions struct {
	network   cli.NetworkOptions
	signer    cli.SignerOption
	query     wallet.RunnerQuery
	maxPrices []string
}

func newList(r *cli.Run) *cobra.Command {
	var o listOptions
	cmd := &cobra.Command{
		Use:   "list [RECIPIENT…]",
		Short: "List apps and their prices",
		Long: `List the live runners of orchestrators: the apps that pmctl call can call. Pass
orchestrators by URL or address; by default pmctl asks all active ones, at the
URLs in both registries. It signs and pays nothing.

The list is sorted by the price per hour, cheapest first; apps that are paid per
call come last. An hour of 720p-pixel-seconds is 3600 seconds of video with
1280×720 pixels and 30 frames a second: 27648000 pixels a second.

With --signer, a remote signer lists the apps that it found; AGE is the greatest
age of its data.

pmctl names orchestrators that do not answer on stderr. The exit code is 7 if
you passed one of them, or if none answered.`,
		Example: `  pmctl runner list
  pmctl runner list https://recipient.example
  pmctl runner list --max-price '500 gwei/second' --output json
  pmctl runner list --signer https://signer.example:8935 \
    --signer-token-file token`,
		RunE: func(cmd *cobra.Command, args []string) error { return list(cmd.Context(), r, &o, args) },
	}
	o.signer.Register(cmd, "list the apps, instead of asking orchestrators")
	cmd.Flags().StringVar(&o.query.App, "app", "", "list only the app with this `NAME`")
	cmd.Flags().StringSliceVar(&o.maxPrices, "max-price", nil, "list only what costs at most `PRICE`: AMOUNT/call, AMOUNT/second or AMOUNT/720p-pixel-second, such as '500 gwei/call'; repeatable; leaves out apps with other units")
	o.network.Register(cmd)
	return cmd
}

// listing is what pmctl runner list answers.
type listing struct {
	// Asked is how many orchestrators were asked, or listed by the signer.
	Asked int `json:"asked"`

	// Age is how old the signer's list may be; absent without a signer.
	Age *int64 `json:"age_seconds,omitempty"`

	Runners  []entry          `json:"runners"`
	Warnings []format.Warning `json:"warnings,omitempty"`
}

func list(ctx context.Context, r *cli.Run, o *listOptions, args []string) error {
	var err error
	if o.query.MaxPrices, err = maxPrices(o.maxPrices); err != nil {
		return err
	}
	if o.query.Of, err = cli.ParseRecipients(args); err != nil {
		return err
	}
	if o.query.Signer, err = o.signer.Client(r.Env); err != nil {
		return err
	}
	if o.query.Signer != nil && len(args) > 0 {
		return cli.Usagef("--signer and RECIPIENT exclude each other: a signer lists its own orchestrators")
	}
	config, err := cli.ReadingConfig(r, &o.network)
	if err != nil {
		return err
	}
	found, err := wallet.Runners(ctx, config, o.query)
	if err != nil {
		return err
	}
	answer := listing{Asked: found.Asked, Runners: []entry{}, Warnings: warnings(found.Failed)}
	for _, offer := range found.Offers {
		if e, err := newEntry(offer); err == nil {
			answer.Runners = append(answer.Runners, e)
		}
	}
	if o.query.Signer != nil {
		age := int64(0)
		for _, e := range answer.Runners {
			age = max(age, int64(e.age/time.Second))
		}
		answer.Age = &age
	}
	failed := found.Err()
	if len(args) > 0 && len(found.Failed) > 0 {
		failed = found.Failed[0]
	}
	if err := emit(r, &answer, failed); err != nil {
		return err
	}
	return failed
}

// emit prints a list. Those who read it see the failure that follows once.
func emit(r *cli.Run, l *listing, failed error) error {
	if r.Output == cli.OutputTable {
		for _, w := range l.Warnings {
			if failed == nil || w.Message != failed.Error() {
				r.Note("warning: %s", w.Message)
			}
		}
		if len(l.Runners) == 0 {
			if failed == nil {
				r.Note("no matching apps; orchestrators asked: %d", l.Asked)
			}
			return nil
		}
	}
	return cli.EmitList(r, "pmctl.runners", l, l.write)
}

func (l *listing) write(p *page.Page) {
	header := []page.Column{page.Text("app"), page.Text("mode"), page.Number("price"), page.Number("per hour"), page.Number("free"), page.Text("url")}
	rows := make([][]string, len(l.Runners))
	for i := range l.Runners {
		e := &l.Runners[i]
		rows[i] = []string{format.PlainText(e.App), e.Mode, e.price(), e.perHour(), e.free(), format.PlainText(e.URL)}
		if l.Age != nil {
			rows[i] = slices.Insert(rows[i], 5, duration.Text(e.age.Round(time.Second)))
		}
	}
	if l.Age != nil {
		header = slices.Insert(header, 5, page.Number("age"))
	}
	p.Table(header, rows)
}
