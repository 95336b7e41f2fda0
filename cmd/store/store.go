// Package store has the commands that look after the store.
package store

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
)

// NewStore is pmctl store.
func NewStore(r *cli.Run) *cobra.Command {
	return cli.Group("store", "Check, export, import and move the store",
		newStoreCheck(r),
		newStoreAcknowledge(r),
		newStoreExport(r),
		newStoreImport(r),
		newStoreMigrate(r),
	)
}

// storeCommand is a command about the store that its options choose.
func storeCommand(r *cli.Run, cmd *cobra.Command, run func(context.Context, wallet.Config, []string) error) *cobra.Command {
	var o cli.StoreOptions
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		config, err := cli.StoreConfig(r, &o)
		if err != nil {
			return err
		}
		return run(cmd.Context(), config, args)
	}
	o.Register(cmd)
	return cmd
}

func newStoreCheck(r *cli.Run) *cobra.Command {
	return storeCommand(r, &cobra.Command{
		Use:   "check",
		Short: "Check the store for damage",
		Long: `Check the whole store: every page of its file, every session against its
reservations, and the spending of every day. Nothing is changed. The result also
says whether the store was moved, copied or restored; in that case its sessions
are retired at the next use.

The exit code is 1 if anything is wrong.`,
		Example: `  pmctl store check
  pmctl store check --output json`,
	}, func(ctx context.Context, config wallet.Config, _ []string) error {
		report, err := wallet.CheckStore(ctx, config)
		if err != nil {
			return err
		}
		if err := r.Emit("pmctl.store_check", report, func(w *page.Page) { writeReport(w, report) }); err != nil {
			return err
		}
		return report.Err()
	})
}

func writeReport(w *page.Page, s *wallet.StoreReport) {
	verdict := w.Green("sound")
	if !s.Sound {
		verdict = w.Red("damaged")
	}
	fields := []page.Field{{"verdict", verdict}}
	for _, problem := range s.Problems {
		fields = append(fields, page.Field{"problem", format.PlainText(problem)})
	}
	fields = append(fields, []page.Field{
		{"store", s.Path},
		{"id", s.ID},
		{"schema", fmt.Sprintf("version %d", s.Version)},
		{"", page.If(s.Version < s.Known, fmt.Sprintf("the next command that uses it brings it to version %d", s.Known))},
	}...)
	for _, name := range []string{"sessions", "reservations", "requests", "params", "winners"} {
		if count, ok := s.Counts[name]; ok {
			fields = append(fields, page.Field{name, fmt.Sprint(count)})
		}
	}
	identity := "unchanged: neither moved nor restored"
	switch {
	case s.CopyReason != "":
		identity = s.CopyReason + ": its sessions will be retired"
	case s.Unremembered:
		identity = "not moved; this machine has not used it before, and cannot tell whether it was restored"
	}
	w.Fields(append(fields, []page.Field{
		{"migrated to", s.MigratedTo},
		{"", page.If(s.MigratedTo != "", "which is used now: this store creates no more tickets")},
		{"identity", identity},
		{"may lack records", page.If(s.Unacknowledged != "", s.Unacknowledged+" (pmctl store acknowledge)")},
	}...))
}

func newStoreExport(r *cli.Run) *cobra.Command {
	var out string
	cmd := storeCommand(r, &cobra.Command{
		Use:   "export",
		Short: "Export the ledger as JSON",
		Long: `Write the ledger as a JSON document: nonces with the value of their tickets,
requests, and a remote signer's clients, sessions, payments and undelivered
events. Ticket params, tokens and winning tickets are not included.`,
		Example: `  pmctl store export --out ledger.json
  pmctl store export --jq .data.reservations`,
	}, func(ctx context.Context, config wallet.Config, _ []string) error {
		file, err := cli.OpenOutput(r, out)
		if err != nil {
			return err
		}
		defer file.Close()
		dump, err := wallet.ExportStore(ctx, config)
		if err != nil {
			return err
		}
		if err := format.Write(file, format.KindStore, dump); err != nil {
			return err
		}
		return file.Commit()
	})
	r.OutputFlag(cmd, cli.OutputJSON)
	cmd.Flags().StringVar(&out, "out", "", "write to `FILE`, which must not exist, instead of stdout")
	return cmd
}

func newStoreImport(r *cli.Run) *cobra.Command {
	return storeCommand(r, &cobra.Command{
		Use:   "import FILE|-",
		Short: "Import an exported ledger",
		Long: `Import into an empty store what pmctl store export wrote. The other store may
have been used since, and an export has no transactions. Therefore sessions are
retired, requests count as done, and the budget of today counts as spent, as do
the allowances of a remote signer's clients. Until pmctl store acknowledge,
transactions and unknown request IDs are refused. To move a store, use pmctl
store migrate.`,
		Example: `  pmctl store import ledger.json`,
	}, func(ctx context.Context, config wallet.Config, args []string) error {
		dump, err := cli.ReadDocument(ctx, r, args[0], func(in io.Reader) (*wallet.StoreDump, error) {
			dump := new(wallet.StoreDump)
			return dump, format.Read(in, format.KindStore, dump)
		})
		if err != nil {
			return err
		}
		path, err := wallet.ImportStore(ctx, config, dump)
		if err != nil {
			return err
		}
		result := storeImport{Path: path, Reservations: len(dump.Reservations), Requests: len(dump.Requests)}
		if dump.Signer != nil {
			result.Clients, result.Payments = len(dump.Signer.Clients), len(dump.Signer.Payments)
		}
		return r.EmitDone("the ledger is imported", "pmctl.store_import", result, result.write)
	})
}

// storeImport is what pmctl store import answers.
type storeImport struct {
	Path         string `json:"path"`
	Reservations int    `json:"reservations"`
	Requests     int    `json:"requests"`
	// Clients and Payments are a remote signer's.
	Clients  int `json:"clients"`
	Payments int `json:"payments"`
	// Acknowledged is false: what the export lacks has to be accepted first.
	Acknowledged bool `json:"acknowledged"`
}

func (i storeImport) write(w *page.Page) {
	w.Fields([]page.Field{
		{"imported", words.Count(i.Reservations, "reservation") + " and " + words.Count(i.Requests, "request")},
		{"remote signer", page.If(i.Clients+i.Payments > 0, words.Count(i.Clients, "client")+" and "+words.Count(i.Payments, "payment"))},
		{"store", i.Path},
		{"refused", "transactions, and request IDs that are not in the store, until pmctl store acknowledge"},
	})
}

func newStoreMigrate(r *cli.Run) *cobra.Command {
	var to string
	cmd := storeCommand(r, &cobra.Command{
		Use:   "migrate [--to LOCATION]",
		Short: "Upgrade the store, or move it",
		Long: `Upgrade the store to the newest schema. Every other command does this too when
it opens an older store.

With --to, move the store to a new location: nonces, requests, spending and
transactions. The old store refuses to create tickets from then on. If a move
was interrupted, run it again.`,
		Example: `  pmctl store migrate
  pmctl store migrate --to postgres://pmctl@db.example/pay`,
	}, func(ctx context.Context, config wallet.Config, _ []string) (err error) {
		if to != "" {
			if to, err = (&cli.StoreOptions{Location: to, Flag: "--to"}).Choose(r.Env); err != nil {
				return err
			}
		}
		m, err := wallet.MigrateStore(ctx, config, to)
		if err != nil {
			return err
		}
		return r.EmitDone("the store is migrated", "pmctl.store_migration", m, func(w *page.Page) { writeMigration(w, m) })
	})
	cmd.Flags().StringVar(&to, "to", "", "move the store to `LOCATION`")
	return cmd
}

func writeMigration(w *page.Page, m wallet.Migration) {
	if m.MovedFrom == "" {
		w.Fields([]page.Field{{"store", m.Path}, {"schema", "up to date"}})
		return
	}
	w.Fields([]page.Field{{"store", m.Path}, {"moved from", m.MovedFrom}, {"old store", "creates no more tickets"}})
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
	}, func(ctx context.Context, config wallet.Config, _ []string) error {
		a, err := wallet.AcknowledgeStore(ctx, config, yes)
		if err != nil {
			return err
		}
		return r.Emit("pmctl.acknowledgement", a, func(w *page.Page) { writeAcknowledged(w, a) })
	})
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
