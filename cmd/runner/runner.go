// Package runner has the commands that find live runners.
package runner

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/wei"
)

// NewRunner is pmctl runner.
func NewRunner(r *cli.Run) *cobra.Command {
	return cli.Group("runner", "Find apps of orchestrators and their prices",
		newList(r),
		newShow(r),
	)
}

// entry is a live runner as it is printed. Amounts are in wei.
type entry struct {
	URL  string `json:"url"`
	App  string `json:"app"`
	Mode string `json:"mode"`

	// Unit is what Price is for; the price of an hour is absent for apps paid by the call.
	Unit       string           `json:"unit"`
	Price      format.Ceil      `json:"price_wei"`
	PriceExact format.Fraction  `json:"price_exact"`
	Hour       *format.Ceil     `json:"price_per_hour_wei,omitempty"`
	HourExact  *format.Fraction `json:"price_per_hour_exact,omitempty"`

	Capacity  int `json:"capacity"`
	Used      int `json:"capacity_used"`
	Available int `json:"capacity_available"`

	// ListedBy is the URL of the orchestrator that lists it.
	ListedBy string `json:"listed_by"`

	kind live.Type
	age  time.Duration
}

func newEntry(o wallet.RunnerOffer) (entry, error) {
	price, kind, err := o.Price.Rat()
	if err != nil {
		return entry{}, err
	}
	e := entry{
		URL: o.URL, App: o.App, Mode: string(o.Mode),
		Unit: o.Price.Unit, Price: format.NewCeil(price), PriceExact: format.Fraction{Rat: price},
		Capacity: max(0, o.Capacity), Used: max(0, o.CapacityUsed), Available: max(0, o.CapacityAvailable),
		ListedBy: o.Orchestrator, kind: kind, age: o.Age,
	}
	if hour, counts := o.Price.PerHour(); counts {
		whole := format.NewCeil(hour)
		e.Hour, e.HourExact = &whole, &format.Fraction{Rat: hour}
	}
	return e, nil
}

// price is what a unit costs.
func (e *entry) price() string { return call.Price{Wei: e.PriceExact.Rat, Type: e.kind}.String() }

// perHour is what an hour costs, "" for apps paid by the call.
func (e *entry) perHour() string {
	if e.HourExact == nil {
		return ""
	}
	return wei.Format(e.HourExact.Rat)
}

func (e *entry) free() string { return fmt.Sprintf("%d of %d", e.Available, e.Capacity) }

// maxPrices are the highest prices that flags say.
func maxPrices(texts []string) (live.MaxPrices, error) {
	prices := make(live.MaxPrices)
	for _, text := range texts {
		price, err := call.ParsePrice(text)
		if err != nil {
			return nil, cli.Usage(fmt.Errorf("--max-price: %w", err))
		}
		if prices[price.Type.Counts()] != nil {
			return nil, cli.Usagef("--max-price %q is a second price of the same unit", text)
		}
		prices[price.Type.Counts()] = price.Wei
	}
	return prices, nil
}

// warnings are about orchestrators that did not answer.
func warnings(failed []error) (list []format.Warning) {
	for _, err := range failed {
		list = append(list, format.Warning{Code: "no_answer", Message: err.Error()})
	}
	return list
}

func newShow(r *cli.Run) *cobra.Command {
	var network cli.NetworkOptions
	cmd := &cobra.Command{
		Use:   "show URL",
		Short: "Show the price, capacity and hardware of an app",
		Long: `Show how an orchestrator lists the live runner at URL: price, capacity and, if
listed, version and hardware. pmctl signs and pays nothing. To see the cost of a
call in tickets, run pmctl call URL --no-pay.`,
		Example: `  pmctl runner show https://recipient.example/apps/fixed1/app
  pmctl runner show https://recipient.example/apps/live1/session -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := call.ParseTarget(args[0])
			if err != nil {
				return cli.Usage(err)
			}
			config, err := cli.ReadingConfig(r, &network)
			if err != nil {
				return err
			}
			found, err := wallet.RunnerAt(cmd.Context(), config, at)
			if err != nil {
				return err
			}
			e, err := newEntry(*found)
			if err != nil {
				return err
			}
			shown := details{e, found.Version, found.GPU, found.Metadata}
			return r.Emit("pmctl.runner", &shown, shown.write)
		},
	}
	network.Register(cmd)
	return cmd
}

// details is what pmctl runner show answers.
type details struct {
	entry

	// Version, GPU and Metadata are as the orchestrator states them.
	Version  string          `json:"version,omitempty"`
	GPU      json.RawMessage `json:"gpu,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

func (d *details) write(p *page.Page) {
	p.Fields([]page.Field{
		{"url", format.PlainText(d.URL)},
		{"app", format.PlainText(d.App)},
		{"mode", d.Mode},
		{"price", d.price()},
		{"per hour", d.perHour()},
		{"free", d.free()},
		{"version", format.PlainText(d.Version)},
		{"gpu", format.PlainText(string(d.GPU))},
		{"metadata", format.PlainText(string(d.Metadata))},
		{"listed by", d.ListedBy},
	})
}
