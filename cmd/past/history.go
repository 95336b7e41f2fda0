package past

import (
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/plot"
)

type historyOptions struct {
	cli.ScanOptions
	recipient string
	client    string
	until     string
	plot      plotOptions
}

// NewHistory is pmctl history.
func NewHistory(r *cli.Run) *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Show past fundings, redemptions and withdrawals",
		Long: `Read the events of the TicketBroker contract for an account: deposits, unlocks,
withdrawals, and redemptions of winning tickets. Each redemption is matched with
its ticket in the ledger of the store. The last lines compare the number of
winning tickets with the number expected, and say how likely that difference is.

Events that can no longer change are kept in the cache folder of pmctl. An
interrupted scan continues where it stopped; --since makes a first scan shorter.`,
		Example: `  pmctl history
  pmctl history --since 30d --plot funds.svg
  pmctl history --recipient 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed -o json
  pmctl history --client studio
  pmctl history --since 2026-03-01 --until 2026-04-01 -o csv > march.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runHistory(r, cmd, &o) },
	}
	cmd.Flags().StringVar(&o.Since, "since", "", "start at `TIME`: an age (12h, 30d, 2w), a day or a time (default: everything)")
	cmd.Flags().StringVar(&o.until, "until", "", "stop before `TIME`")
	cmd.Flags().StringVar(&o.recipient, "recipient", "", "show only redemptions by the recipient `ADDRESS`")
	cmd.Flags().StringVar(&o.client, "client", "", "show only redemptions of tickets of a remote signer's client, by `NAME`")
	o.plot.register(cmd, "deposit, reserve and what was paid over time")
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputCSV)
	return cmd
}

func runHistory(r *cli.Run, cmd *cobra.Command, o *historyOptions) error {
	only := wallet.HistoryFilter{Client: o.client}
	if o.recipient != "" {
		address, err := cli.ParseAddress("--recipient", o.recipient)
		if err != nil {
			return err
		}
		only.Recipient = &address
	}
	var err error
	only.Until, err = cli.ParseMoment("--until", o.until, r.Now())
	if err != nil {
		return err
	}
	if since, err := cli.ParseMoment("--since", o.Since, r.Now()); err == nil && !only.Until.IsZero() && !since.Before(only.Until) {
		return cli.Usagef("--until %s is not after --since %s: nothing is between them", o.until, o.Since)
	}
	file, err := o.plot.begin(r, cmd)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, past, err := o.Open(cmd.Context(), r)
	if err != nil {
		return err
	}
	defer reader.Close()
	found, err := reader.History(cmd.Context(), past, only)
	if err != nil {
		return err
	}
	if err := finish(plot.History(found), r, file); err != nil {
		return err
	}
	if r.Output == cli.OutputCSV {
		return history.WriteCSV(r.Out, found.Events)
	}
	return cli.EmitList(r, "pmctl.history", found, func(w *page.Page) { writeHistory(w, found) })
}
