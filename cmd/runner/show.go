package runner

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/format"
)

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
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
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
