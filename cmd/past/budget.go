package past

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// NewBudget is pmctl budget.
func NewBudget(r *cli.Run) *cobra.Command {
	var o cli.WalletOptions
	cmd := &cobra.Command{
		Use:   "budget",
		Short: "Show today's spending and the budget that remains",
		Long: `Show what the tickets of an account add up to on this UTC day: their expected
value, their face value (the cost if every ticket wins), and the limits in the
config file. No node is asked, and no key is opened.`,
		Example: `  pmctl budget
  pmctl budget --from 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed -o json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBudget(cmd.Context(), r, &o) },
	}
	o.RegisterLooking(cmd)
	return cmd
}

func runBudget(ctx context.Context, r *cli.Run, o *cli.WalletOptions) error {
	limits, err := new(cli.LimitOptions).Limits(r.Env)
	if err != nil {
		return err
	}
	sender, err := o.Account.Address(ctx, r.Env)
	if err != nil {
		return err
	}
	opened, err := cli.JournalOf(ctx, r, o)
	if err != nil {
		return err
	}
	defer opened.Close()
	spent, err := wallet.BudgetOf(ctx, opened, sender, limits)
	if err != nil {
		return err
	}
	return cli.EmitList(r, "pmctl.budget", spent, func(w *page.Page) { writeBudget(w, spent) })
}

// writeBudget prints what was spent in all and what is left of it, then what that is made of.
func writeBudget(w *page.Page, b *wallet.Budget) {
	fields := []page.Field{{"spent", page.If(b.CountsAsSpent != "", w.Red("all of the budget")+": "+b.CountsAsSpent)}}
	var recipients [][]string
	var eachEV, eachFaceValue string // the limits of every recipient
	for _, line := range b.Lines {
		spent := wei.Format(line.SpentExact.Rat)
		isEV := line.Kind != wallet.SpentFaceValue
		switch {
		case line.Recipient == nil && isEV:
			fields = append(fields, page.Field{"EV", spent + limitText(" of", line)})
		case line.Recipient == nil:
			fields = append(fields, page.Field{"face value", spent + limitText(" of", line)})
		case isEV:
			recipients, eachEV = append(recipients, []string{common.Address(*line.Recipient).Hex(), spent, ""}), limitText("at most", line)
		default:
			recipients[len(recipients)-1][2], eachFaceValue = spent, limitText("at most", line)
		}
	}
	w.Fields(append(fields,
		page.Field{"EV each", eachEV},
		page.Field{"face value each", eachFaceValue},
		page.Field{"tickets", fmt.Sprint(b.Tickets)},
		page.Field{"day ends", b.DayEnds.Format(time.RFC3339)},
		page.Field{"sender", common.Address(b.Sender).Hex()},
	))
	if len(recipients) > 0 {
		w.Print("\n")
		w.Table([]page.Column{page.Text("recipient"), page.Number("EV"), page.Number("face value")}, recipients)
	}
}

// limitText is a line's limit after some words, and whose setting it is; "" without one.
func limitText(words string, line wallet.BudgetLine) string {
	if line.Limit == nil {
		return ""
	}
	return fmt.Sprintf("%s %s (%s)", words, line.Limit, line.Source)
}
