package store

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
)

func newStoreAcknowledge(r *cli.Run) *cobra.Command {
	var yes bool
	cmd := storeCommand(r, &cobra.Command{
		Use:   "acknowledge",
		Short: "Accept what a restored store may be missing",
		Long: `Show what a store that was moved, copied, restored or imported may be missing,
and what could therefore happen twice. After you accept it, request IDs and
transactions that the store does not have count as new, and the budget of the
day counts only what the store has. Until then pmctl refuses both.

Retired sessions stay retired: pmctl fetches fresh ticket params.`,
		Example: `  pmctl store acknowledge
  pmctl store acknowledge --yes --output json`,
	}, func(ctx context.Context, config wallet.Config, _ []string) error {
		a, err := wallet.AcknowledgeStore(ctx, config, yes)
		if err != nil {
			return err
		}
		return r.Emit("pmctl.acknowledgement", a, func(w *page.Page) { writeAcknowledged(w, a) })
	}, cli.OutputTable, cli.OutputJSON)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "skip the confirmation")
	return cmd
}

func writeAcknowledged(w *page.Page, a wallet.Acknowledged) {
	fields := []page.Field{{"store", a.Path}}
	if !a.Acknowledged {
		w.Fields(append(fields, page.Field{"acknowledged", "nothing: no record is missing"}))
		return
	}
	w.Fields(append(fields,
		page.Field{"acknowledged", a.Reason},
		page.Field{"from now on", "request IDs and transactions that the store does not know are new"}))
}
