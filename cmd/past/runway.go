package past

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
)

type runwayOptions struct {
	scanOptions
	plot plotOptions
}

// NewRunway is pmctl runway.
func NewRunway(r *cli.Run) *cobra.Command {
	var o runwayOptions
	cmd := &cobra.Command{
		Use:   "runway",
		Short: "Tell how long the deposit lasts",
		Long: `Runway looks at what was spent of late, in tickets of the store's ledger and in
redemptions on the chain, and says when the deposit will no longer pay a winning
ticket in full, with a band that holds the day with a probability of 90 %. The
band allows for luck, and for how little a short or restless past tells.

Where somebody else pays from the same account, so that the ledger does not have
all tickets, it goes by the redemptions alone. No key is opened.`,
		Example: `  pmctl runway
  pmctl runway --since 7d --plot runway.svg
  pmctl runway --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRunway(r, cmd, &o) },
	}
	cmd.Flags().StringVar(&o.since, "since", "30d", "go by what was spent from a `TIME` on: 12h, 30d or 2w ago, a day, or a time")
	o.plot.register(cmd, "deposit, reserve and expected value over time, with the forecast,")
	o.register(cmd)
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
	reader, past, err := o.open(cmd.Context(), r)
	if err != nil {
		return err
	}
	defer reader.Close()
	told, err := reader.Runway(cmd.Context(), past)
	if err != nil {
		return err
	}
	if err := plotRunway(told).finish(r, file); err != nil {
		return err
	}
	return r.Emit("pmctl.runway", told, func(w *cli.Page) error { return writeRunway(w, told) })
}
