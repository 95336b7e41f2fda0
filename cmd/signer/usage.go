package signer

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/plot"
	"github.com/pmctl/pmctl/wallet/wei"
)

func newUsage(r *cli.Run) *cobra.Command {
	var o cli.ScanOptions
	var client string
	cmd := &cobra.Command{
		Use:   "usage",
		Short: "Show each client's tickets and what they cost",
		Long: `Show how many tickets were signed for each client of the remote signers that use
the store, and their expected value (EV): what they cost on average. From the
chain, pmctl reads which of them won and were redeemed, and compares the number
of wins with the number expected from the tickets drawn so far.

Tickets that this account signed for no client have a row of their own.`,
		Example: `  pmctl signer usage
  pmctl signer usage --client studio --since 30d
  pmctl signer usage -o csv > usage.csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reader, past, err := o.Open(cmd.Context(), r)
			if err != nil {
				return err
			}
			defer reader.Close()
			found, err := reader.SignerUsage(cmd.Context(), past, client)
			if err != nil {
				return err
			}
			if r.Output == cli.OutputCSV {
				return wallet.WriteUsageCSV(r.Out, found.Clients)
			}
			return cli.EmitList(r, "pmctl.signer_usage", found, func(p *page.Page) { writeUsage(p, found.Clients) })
		},
	}
	cmd.Flags().StringVar(&client, "client", "", "show only the client with this `NAME`")
	cmd.Flags().StringVar(&o.Since, "since", "", "count tickets since `TIME`: an age (12h, 30d, 2w), a day or a time (default: all)")
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON, cli.OutputCSV)
	return cmd
}

func writeUsage(p *page.Page, clients []wallet.ClientUsage) {
	if len(clients) == 0 {
		p.Print("no clients: add one with pmctl signer client add NAME\n")
		return
	}
	rows := make([][]string, len(clients))
	for i, c := range clients {
		name := c.Client
		if name == "" {
			name = p.Dim("no client")
		}
		rows[i] = []string{
			name, fmt.Sprint(c.Payments), fmt.Sprint(c.Tickets), wei.Format(c.TotalEVExact.Rat), wei.Format(c.Luck.Paid),
			fmt.Sprintf("%d of %s", c.Luck.Wins, plot.Number(c.Luck.ExpectedWins)), luck(&c),
		}
	}
	p.Table([]page.Column{
		page.Text("client"), page.Number("payments"), page.Number("tickets"), page.Number("EV"), page.Number("paid"), page.Number("wins"), page.Text("luck"),
	}, rows)
}

// luck is how likely a result is that is at least as far from the expected one.
func luck(c *wallet.ClientUsage) string {
	switch {
	case c.Luck.Tickets == 0:
		return "nothing drawn"
	case c.Luck.Bad():
		return "bad (" + plot.Percent(c.Luck.AtLeast) + ")"
	}
	return "good (" + plot.Percent(c.Luck.AtMost) + ")"
}
