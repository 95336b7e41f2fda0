// Package store has the commands that look after the store.
package store

import (
	"context"
	"fmt"

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
func storeCommand(r *cli.Run, cmd *cobra.Command, run func(context.Context, *cli.Run, wallet.Config, []string) error, outputs ...string) *cobra.Command {
	var o cli.StoreOptions
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		config, err := cli.StoreConfig(r, &o)
		if err != nil {
			return err
		}
		return run(cmd.Context(), r, config, args)
	}
	o.Register(cmd)
	r.OutputFlag(cmd, outputs...)
	return cmd
}

// storeReport is what pmctl store check answers.
type storeReport struct {
	Path    string `json:"path"`
	StoreID string `json:"store_id"`
	Version int    `json:"schema_version"`
	Known   int    `json:"known_version"`
	Sound   bool   `json:"sound"`
	Moved   string `json:"moved,omitempty"`
	// MigratedTo is where the store is used now.
	MigratedTo string `json:"migrated_to,omitempty"`
	// Unremembered tells of a database that this machine has not used before.
	Unremembered bool `json:"unremembered,omitempty"`
	// Unacknowledged is why the store may lack records.
	Unacknowledged string           `json:"unacknowledged,omitempty"`
	Rows           map[string]int64 `json:"rows"`
	// Problems are what is wrong, for people.
	Problems []string `json:"problems,omitempty"`
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
	}, checkStore, cli.OutputTable, cli.OutputJSON)
}

func checkStore(ctx context.Context, r *cli.Run, config wallet.Config, _ []string) error {
	found, err := wallet.CheckStore(ctx, config)
	if err != nil {
		return err
	}
	report := storeReport{
		Path: found.Path, StoreID: found.ID, Version: found.Version, Known: found.Known,
		Sound: len(found.Problems) == 0, Moved: found.CopyReason, MigratedTo: found.MigratedTo, Unremembered: found.Unremembered, Rows: found.Counts, Problems: found.Problems,
	}
	if found.Restored != nil {
		report.Unacknowledged = found.Restored.Cause.String()
	}
	if err := r.Emit("pmctl.store_check", report, report.write); err != nil {
		return err
	}
	return found.Err()
}

func (s storeReport) write(w *page.Page) {
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
		{"id", s.StoreID},
		{"schema", fmt.Sprintf("version %d", s.Version)},
	}...)
	if s.Version < s.Known {
		fields = append(fields, page.Field{"", fmt.Sprintf("the next command that uses it brings it to version %d", s.Known)})
	}
	for _, name := range []string{"sessions", "reservations", "requests", "params", "winners"} {
		if count, ok := s.Rows[name]; ok {
			fields = append(fields, page.Field{name, fmt.Sprint(count)})
		}
	}
	if s.MigratedTo != "" {
		fields = append(fields, page.Field{"migrated to", s.MigratedTo}, page.Field{"", "which is used now: this store creates no more tickets"})
	}
	identity := "unchanged: neither moved nor restored"
	switch {
	case s.Moved != "":
		identity = s.Moved + ": its sessions will be retired"
	case s.Unremembered:
		identity = "not moved; this machine has not used it before, and cannot tell whether it was restored"
	}
	fields = append(fields, page.Field{"identity", identity})
	if s.Unacknowledged != "" {
		fields = append(fields, page.Field{"may lack records", s.Unacknowledged + " (pmctl store acknowledge)"})
	}
	w.Fields(fields)
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
	}, func(ctx context.Context, r *cli.Run, config wallet.Config, _ []string) error {
		return exportStore(ctx, r, config, out)
	}, cli.OutputJSON)
	cmd.Flags().StringVar(&out, "out", "", "write to `FILE`, which must not exist, instead of stdout")
	return cmd
}

func exportStore(ctx context.Context, r *cli.Run, config wallet.Config, path string) error {
	out, err := cli.OpenOutput(r, path)
	if err != nil {
		return err
	}
	defer out.Close()
	dump, err := wallet.ExportStore(ctx, config)
	if err != nil {
		return err
	}
	if err := format.Write(out, format.KindStore, dump); err != nil {
		return err
	}
	return out.Commit()
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
	}, importStore, cli.OutputTable, cli.OutputJSON)
}

func importStore(ctx context.Context, r *cli.Run, config wallet.Config, args []string) error {
	in, err := cli.OpenDocument(ctx, r, args[0])
	if err != nil {
		return err
	}
	defer in.Close()
	dump := new(wallet.StoreDump)
	if err := format.Read(in, format.KindStore, dump); err != nil {
		return cli.WithSource(args[0], err)
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
	fields := []page.Field{{"imported", words.Count(i.Reservations, "reservation") + " and " + words.Count(i.Requests, "request")}}
	if i.Clients+i.Payments > 0 {
		fields = append(fields, page.Field{"remote signer", words.Count(i.Clients, "client") + " and " + words.Count(i.Payments, "payment")})
	}
	w.Fields(append(fields, []page.Field{
		{"store", i.Path},
		{"refused", "transactions, and request IDs that are not in the store, until pmctl store acknowledge"},
	}...))
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
	}, func(ctx context.Context, r *cli.Run, config wallet.Config, _ []string) error {
		return migrateStore(ctx, r, config, to)
	}, cli.OutputTable, cli.OutputJSON)
	cmd.Flags().StringVar(&to, "to", "", "move the store to `LOCATION`")
	return cmd
}

func migrateStore(ctx context.Context, r *cli.Run, config wallet.Config, to string) (err error) {
	if to != "" {
		if to, err = (&cli.StoreOptions{Location: to, Flag: "--to"}).Choose(r.Env); err != nil {
			return err
		}
	}
	from, at, err := wallet.MigrateStore(ctx, config, to)
	if err != nil {
		return err
	}
	result := storeMigration{Path: from}
	if to != "" {
		result = storeMigration{Path: at, MovedFrom: from}
	}
	return r.EmitDone("the store is migrated", "pmctl.store_migration", result, result.write)
}

// storeMigration is what pmctl store migrate answers.
type storeMigration struct {
	Path string `json:"path"`
	// MovedFrom is the old store, "" for one that was only upgraded.
	MovedFrom string `json:"moved_from,omitempty"`
}

func (m storeMigration) write(w *page.Page) {
	if m.MovedFrom == "" {
		w.Fields([]page.Field{{"store", m.Path}, {"schema", "up to date"}})
		return
	}
	w.Fields([]page.Field{{"store", m.Path}, {"moved from", m.MovedFrom}, {"old store", "creates no more tickets"}})
}
