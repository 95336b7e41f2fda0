package account

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/keystore"
)

type accountList struct {
	Keystore string          `json:"keystore"`
	Accounts []accountResult `json:"accounts"`
	// Unnamed are key files that do not name their address.
	Unnamed  []string         `json:"unnamed,omitempty"`
	Problems []accountProblem `json:"problems"`
}

// accountProblem is a key file that cannot be used.
type accountProblem struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

func newAccountList(r *cli.Run) *cobra.Command {
	var keys cli.KeystoreOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List accounts",
		Long: `List the accounts of the keystore, oldest first. No key is opened. Files that
cannot be read as key files are listed on stderr, with the reason; with --output
json they are in the document.`,
		Example: `  pmctl account list
  pmctl account list --keystore ~/.lpData/arbitrum-one-mainnet/keystore`,
	}
	keys.Register(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		store, err := keys.Open(r.Env)
		if err != nil {
			return err
		}
		list, err := store.List()
		if err != nil {
			return err
		}
		return emitList(r, store, list)
	}
	return cmd
}

func emitList(r *cli.Run, store *keystore.Store, list keystore.Listing) error {
	result := accountList{Keystore: store.Path(), Accounts: []accountResult{}, Unnamed: list.Unnamed, Problems: []accountProblem{}}
	for _, account := range list.Accounts {
		result.Accounts = append(result.Accounts, resultOf(account))
	}
	for _, path := range list.Unnamed {
		r.Note("key file %s does not name its address: pass --from ADDRESS, or open it without", path)
	}
	for _, problem := range list.Problems {
		result.Problems = append(result.Problems, accountProblem{problem.Path, problem.Err.Error()})
		r.Note("unusable: %v", problem)
	}
	if len(list.Accounts)+len(list.Unnamed) == 0 {
		r.Note("no accounts in %s; pmctl account new creates one", store.Path())
	}
	return cli.EmitList(r, "pmctl.accounts", result, func(w *page.Page) { result.write(w, r.Verbose) })
}

// write prints the accounts with the times that the names of their key files have; with the
// names themselves where one has none, or as they are asked for.
func (l accountList) write(w *page.Page, withFiles bool) {
	if len(l.Accounts) == 0 {
		return
	}
	rows := make([][]string, len(l.Accounts))
	for i, account := range l.Accounts {
		created, ok := createdAt(account.Path)
		withFiles = withFiles || !ok
		rows[i] = []string{account.Address, created, filepath.Base(account.Path)}
	}
	header := []page.Column{page.Text("address"), page.Text("created"), page.Text("key file")}
	if !withFiles {
		header = header[:2]
		for i := range rows {
			rows[i] = rows[i][:2]
		}
	}
	w.Table(header, rows)
}

// createdAt reads when a key file was created from its name, as Ethereum's programs form
// it: UTC--TIME--ADDRESS.
func createdAt(path string) (text string, ok bool) {
	parts := strings.Split(filepath.Base(path), "--")
	if len(parts) != 3 || parts[0] != "UTC" {
		return "", false
	}
	at, err := time.Parse("2006-01-02T15-04-05", strings.TrimSuffix(parts[1], "Z"))
	if err != nil {
		return "", false
	}
	return at.Format(time.RFC3339), true
}

type accountDetails struct {
	accountResult
	KDF string `json:"kdf"`
}

func newAccountShow(r *cli.Run) *cobra.Command {
	var keys cli.KeystoreOptions
	cmd := &cobra.Command{
		Use:   "show [ADDRESS]",
		Short: "Show an account",
		Long: `Show an account: its address, its key file, and the key derivation that protects
it. Without ADDRESS this is the account that other commands use: $ETH_FROM, else
from in a config file, else the only one. No key is opened.`,
		Example: `  pmctl account show
  pmctl account show 0x… --output json`,
	}
	keys.Register(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		store, account, err := chooseAccount(r, &keys, args)
		if err != nil {
			return err
		}
		kdf, err := store.KDF(account)
		if err != nil {
			return err
		}
		result := accountDetails{resultOf(account), kdf}
		return r.Emit("pmctl.account", result, func(w *page.Page) {
			w.Fields([]page.Field{{"address", result.Address}, {"key file", result.Path}, {"key derivation", result.KDF}})
		})
	}
	return cmd
}
