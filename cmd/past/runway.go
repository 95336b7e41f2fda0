package past

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet/plot"
)

type runwayOptions struct {
	cli.ScanOptions
	plot plotOptions
}

// NewRunway is pmctl runway.
func NewRunway(r *cli.Run) *cobra.Command {
	var o runwayOptions
	cmd := &cobra.Command{
		Use:   "runway",
		Short: "Forecast how long the deposit lasts",
		Long: `Forecast when the deposit can no longer pay a winning ticket in full, from the
spending so far: the tickets in the ledger of the store, and the redemptions on
the chain. The date has a band that contains it with a probability of 90 %. The
band is wider after a short or uneven past.

If another process pays from the same account with a store of its own, the
ledger is incomplete, and only the redemptions count. No key is opened.`,
		Example: `  pmctl runway
  pmctl runway --since 7d --plot runway.svg
  pmctl runway --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRunway(r, cmd, &o) },
	}
	cmd.Flags().StringVar(&o.Since, "since", "30d", "use the spending since `TIME`: an age (12h, 30d, 2w), a day or a time")
	o.plot.register(cmd, "deposit, reserve and expected value over time, with the forecast,")
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

func runRunway(r *cli.Run, cmd *cobra.Command, o *runwayOptions) error {
	file, err := o.plot.begin(r, cmd)
	if err != nil {
		return err
	}
	if file != nil {
		defer file.Close()
	}
	reader, past, err := o.Open(cmd.Context(), r)
	if err != nil {
		return err
	}
	defer reader.Close()
	told, err := reader.Runway(cmd.Context(), past)
	if err != nil {
		return err
	}
	if err := finish(plot.Runway(told), r, file); err != nil {
		return err
	}
	return r.Emit("pmctl.runway", told, func(w *page.Page) { writeRunway(w, told) })
}
