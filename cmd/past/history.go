package past

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
)

type historyOptions struct {
	scanOptions
	recipient string
	until     string
	plot      plotOptions
}

// NewHistory is pmctl history.
func NewHistory(r *cli.Run) *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Show what became of your funds: fundings, redemptions, withdrawals",
		Long: `History reads what the TicketBroker contract tells of an account: what was
deposited, unlocked and withdrawn, and which of your tickets won and were
redeemed. Each redemption is matched with the ticket in the store's ledger that
it came from. At the end it says how many tickets should have won, and how
likely it is to be off by that much.

What is too old to change is kept in pmctl's cache folder. A scan that was
interrupted goes on where it ended; --since spares what is before.`,
		Example: `  pmctl history
  pmctl history --since 30d --plot funds.svg
  pmctl history --recipient 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed -o json
  pmctl history --since 2026-03-01 --until 2026-04-01 -o csv > march.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runHistory(r, cmd, &o) },
	}
	cmd.Flags().StringVar(&o.since, "since", "", "leave out what was before a `TIME`: 12h, 30d or 2w ago, a day, or a time (default everything)")
	cmd.Flags().StringVar(&o.until, "until", "", "leave out what was at this `TIME` or later")
	cmd.Flags().StringVar(&o.recipient, "recipient", "", "show only the redemptions by the recipient at `ADDRESS`")
	o.plot.register(cmd, "deposit, reserve and what was paid over time")
	o.register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputCSV)
	return cmd
}

func runHistory(r *cli.Run, cmd *cobra.Command, o *historyOptions) error {
	var recipient *common.Address
	if o.recipient != "" {
		address, err := cli.ParseAddress("--recipient", o.recipient)
		if err != nil {
			return err
		}
		recipient = &address
	}
	until, err := cli.ParseMoment("--until", o.until, r.Now())
	if err != nil {
		return err
	}
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
	found, err := reader.History(cmd.Context(), past, until, recipient)
	if err != nil {
		return err
	}
	if err := plotHistory(found).finish(r, file); err != nil {
		return err
	}
	if r.Output == cli.OutputCSV {
		return writeHistoryCSV(r.Out, found.Events)
	}
	return cli.EmitList(r, "pmctl.history", found, func(w *cli.Page) error { return writeHistory(w, found) })
}
