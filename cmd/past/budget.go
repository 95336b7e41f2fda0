package past

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// NewBudget is pmctl budget.
func NewBudget(r *cli.Run) *cobra.Command {
	var o cli.ReaderOptions
	cmd := &cobra.Command{
		Use:   "budget",
		Short: "Show what was spent today, and what the budget allows",
		Long: `Budget shows what an account's tickets of this UTC day come to, in expected
value and in face value, which is what they cost if every one wins, and the
limits that the config file sets. Nobody is asked, and no key is opened.`,
		Example: `  pmctl budget
  pmctl budget --from 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBudget(cmd.Context(), r, &o) },
	}
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

func runBudget(ctx context.Context, r *cli.Run, o *cli.ReaderOptions) error {
	limits, err := new(cli.LimitOptions).Limits(r.Env)
	if err != nil {
		return err
	}
	sender, err := o.Account.Address(ctx, r.Env)
	if err != nil {
		return err
	}
	opened, err := cli.JournalOf(ctx, r, &o.Network, &o.Store)
	if err != nil {
		return err
	}
	defer opened.Close()
	spent, err := wallet.BudgetOf(ctx, opened, sender, limits)
	if err != nil {
		return err
	}
	return r.Emit("pmctl.budget", spent, func(w *cli.Page) error { return writeBudget(w, spent) })
}

func writeBudget(w *cli.Page, b *wallet.Budget) error {
	fields := []cli.Field{
		{"sender", common.Address(b.Sender).Hex()},
		{"day ends", b.DayEnds.Format(time.RFC3339)},
		{"tickets", fmt.Sprint(b.Tickets)},
	}
	if b.CountsAsSpent != "" {
		fields = append(fields, cli.Field{"spent", "all of the budget: " + b.CountsAsSpent})
	}
	for _, line := range b.Lines {
		name := "EV"
		if line.Kind == wallet.SpentFaceValue {
			name = "face value"
		} else if line.Recipient != nil {
			fields = append(fields, cli.Field{"recipient", common.Address(*line.Recipient).Hex()})
		}
		text := wei.Format(line.Spent)
		if line.Limit != nil {
			text += fmt.Sprintf(" of %s (%s)", line.Limit, line.SetIn)
		}
		fields = append(fields, cli.Field{name, text})
	}
	return w.Fields(fields)
}
