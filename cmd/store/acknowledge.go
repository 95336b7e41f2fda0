package store

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/store"
)

// acknowledgement is what pmctl store acknowledge answers.
type acknowledgement struct {
	Path    string `json:"path"`
	StoreID string `json:"store_id"`
	// Acknowledged is false where there was nothing to acknowledge.
	Acknowledged bool            `json:"acknowledged"`
	Cause        store.CauseCode `json:"cause,omitempty"`
	Reason       string          `json:"reason,omitempty"`
	FoundAt      *time.Time      `json:"found_at,omitempty"`
	// NewestAt is when the newest record was written that the store had then.
	NewestAt *time.Time `json:"newest_at,omitempty"`
	// MayRepeat are the kinds of things that may be done a second time.
	MayRepeat []string `json:"may_repeat"`
}

func newStoreAcknowledge(r *cli.Run) *cobra.Command {
	var o cli.StoreOptions
	var yes bool
	cmd := &cobra.Command{
		Use:   "acknowledge",
		Short: "Use a restored store again, knowing what it may lack",
		Long: `Acknowledge shows what a store may lack that was moved, copied, restored or
imported, and what may be done a second time because of that. Once you agree,
request IDs and transactions that the store does not know count as new, and the
day's budget counts what the store knows. Until then both are refused.

Sessions that were retired stay retired: pmctl fetches fresh ticket params.`,
		Example: `  pmctl store acknowledge
  pmctl store acknowledge --yes --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return acknowledgeStore(cmd.Context(), r, &o, yes) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

func acknowledgeStore(ctx context.Context, r *cli.Run, o *cli.StoreOptions, yes bool) error {
	s, err := cli.OpenStore(ctx, r, o)
	if err != nil {
		return err
	}
	defer s.Close()
	found, err := s.Restored(ctx)
	if err != nil {
		return err
	}
	result := acknowledgement{Path: s.Path(), StoreID: s.ID(), MayRepeat: []string{}}
	if found != nil {
		noteMissing(r, s, found)
		if err := r.Confirm(ctx, yes, "Take what the store does not know for new from now on?"); err != nil {
			return err
		}
		if err := s.Acknowledge(ctx, *found); err != nil {
			return err
		}
		result.Acknowledged, result.FoundAt = true, &found.At
		result.Cause, result.Reason = found.Cause.Code, found.Cause.String()
		result.MayRepeat = []string{"requests", "transactions", "spending"}
		if !found.Newest.IsZero() {
			result.NewestAt = &found.Newest
		}
	}
	return r.Emit("pmctl.acknowledgement", result, result.write)
}

// noteMissing says what a store may lack, and what that means.
func noteMissing(r *cli.Run, s *store.Store, found *store.Restored) {
	r.Note("the store %s may lack records: %v (found at %s)", s.Path(), found.Cause, found.At.Format(time.RFC3339))
	since := "it had no record then; what was done before may be missing:"
	if !found.Newest.IsZero() {
		since = fmt.Sprintf("its newest record was of %s; what was done later may be missing:", found.Newest.Format(time.RFC3339))
	}
	r.Note("%s", since)
	r.Note("- requests: a command with a request ID used since then makes tickets or pays again")
	r.Note("- transactions: a command that sent one since then, with a request ID or without, sends another one")
	r.Note("- spending: budgets do not count what was spent since then")
}

func (a acknowledgement) write(w io.Writer) error {
	fields := []cli.Field{{"store", a.Path}}
	if !a.Acknowledged {
		return cli.WriteFields(w, append(fields, cli.Field{"acknowledged", "nothing: pmctl knows of no record that it lacks"}))
	}
	return cli.WriteFields(w, append(fields,
		cli.Field{"acknowledged", a.Reason},
		cli.Field{"from now on", "request IDs and transactions that the store does not know are new"}))
}
