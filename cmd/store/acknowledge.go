package store

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
)

// acknowledgement is what pmctl store acknowledge answers.
type acknowledgement struct {
	Path    string `json:"path"`
	StoreID string `json:"store_id"`
	// Acknowledged is false where there was nothing to acknowledge.
	Acknowledged bool       `json:"acknowledged"`
	Cause        string     `json:"cause,omitempty"`
	Reason       string     `json:"reason,omitempty"`
	FoundAt      *time.Time `json:"found_at,omitempty"`
	// NewestAt is when the newest record was written that the store had then.
	NewestAt *time.Time `json:"newest_at,omitempty"`
	// MayRepeat are the kinds of things that may be done a second time.
	MayRepeat []string `json:"may_repeat"`
}

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
	}, func(ctx context.Context, r *cli.Run, config wallet.Config, _ []string) error {
		return acknowledgeStore(ctx, r, config, yes)
	}, cli.OutputTable, cli.OutputJSON)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "skip the confirmation")
	return cmd
}

func acknowledgeStore(ctx context.Context, r *cli.Run, config wallet.Config, yes bool) error {
	a, err := wallet.AcknowledgeStore(ctx, config, yes)
	if err != nil {
		return err
	}
	result := acknowledgement{Path: a.Path, StoreID: a.ID, MayRepeat: []string{}}
	if lacked := a.Lacked; lacked != nil {
		result.Acknowledged, result.FoundAt = true, &lacked.At
		result.Cause, result.Reason = string(lacked.Cause.Code), lacked.Cause.String()
		result.MayRepeat = []string{"requests", "transactions", "spending"}
		if !lacked.Newest.IsZero() {
			result.NewestAt = &lacked.Newest
		}
	}
	return r.Emit("pmctl.acknowledgement", result, result.write)
}

func (a acknowledgement) write(w *page.Page) {
	fields := []page.Field{{"store", a.Path}}
	if !a.Acknowledged {
		w.Fields(append(fields, page.Field{"acknowledged", "nothing: no record is missing"}))
		return
	}
	w.Fields(append(fields,
		page.Field{"acknowledged", a.Reason},
		page.Field{"from now on", "request IDs and transactions that the store does not know are new"}))
}
