package cmd

import (
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

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

func newAccountList(r *run) *cobra.Command {
	var keys keystoreOptions
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Long: `List the accounts of the keystore, oldest first. Nothing is decrypted. Files
that no account can be read from are named on stderr, with the reason.`,
		Example: `  pmctl account list
  pmctl account list --keystore ~/.lpData/arbitrum-one-mainnet/keystore`,
		Args: cobra.NoArgs,
	}
	keys.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	cmd.RunE = func(*cobra.Command, []string) error {
		store, err := keys.open(r.Env)
		if err != nil {
			return err
		}
		list, err := store.List()
		if err != nil {
			return err
		}
		return r.emitList(store, list)
	}
	return cmd
}

func (r *run) emitList(store *keystore.Store, list keystore.Listing) error {
	result := accountList{Keystore: store.Path(), Accounts: []accountResult{}, Unnamed: list.Unnamed, Problems: []accountProblem{}}
	for _, account := range list.Accounts {
		result.Accounts = append(result.Accounts, resultOf(account))
	}
	for _, path := range list.Unnamed {
		r.note("key file %s does not name its address: pass --from ADDRESS, or open it without", path)
	}
	for _, problem := range list.Problems {
		result.Problems = append(result.Problems, accountProblem{problem.Path, problem.Err.Error()})
		r.note("unusable: %v", problem)
	}
	if len(list.Accounts)+len(list.Unnamed) == 0 {
		r.note("no accounts in %s; pmctl account new makes one", store.Path())
	}
	return r.emit("pmctl.accounts", result, func(w io.Writer) error {
		// An address and a file's name do not fit into a line of a terminal.
		for _, account := range result.Accounts {
			if err := writeFields(w, []field{{"address", account.Address}, {"key file", filepath.Base(account.Path)}}); err != nil {
				return err
			}
		}
		return nil
	})
}

type accountDetails struct {
	accountResult
	KDF string `json:"kdf"`
}

func newAccountShow(r *run) *cobra.Command {
	var keys keystoreOptions
	cmd := &cobra.Command{
		Use:   "show [ADDRESS]",
		Short: "Show one account",
		Long: `Show an account: its address, its key file, and how the passphrase is turned
into the key that encrypts it. Without ADDRESS it is the account that other
commands would act as: ETH_FROM's, or the only one. Nothing is decrypted.`,
		Example: `  pmctl account show
  pmctl account show 0x… --output json`,
		Args: cobra.MaximumNArgs(1),
	}
	keys.register(cmd)
	r.outputFlag(cmd, outputTable, outputJSON)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		store, err := keys.open(r.Env)
		if err != nil {
			return err
		}
		account, err := r.chooseAccount(store, args)
		if err != nil {
			return err
		}
		kdf, err := store.KDF(account)
		if err != nil {
			return err
		}
		result := accountDetails{resultOf(account), kdf}
		return r.emit("pmctl.account", result, func(w io.Writer) error {
			return writeFields(w, []field{{"address", result.Address}, {"key file", result.Path}, {"key derivation", result.KDF}})
		})
	}
	return cmd
}
