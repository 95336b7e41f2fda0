package cli

import (
	"cmp"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/config"
	"github.com/pmctl/pmctl/wallet/policy"
)

// StoreOptions say where the store is.
type StoreOptions struct {
	Location string
	// Flag is the one that location comes from; "" for --store.
	Flag string
}

// Register adds the flags to a command.
func (o *StoreOptions) Register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.Location, "store", "", "`LOCATION` of the store: a file or a postgres:// URL (default $PMCTL_STORE, else pmctl's own file)")
	dialect.InGroup(cmd, dialect.AccountFlags, "store")
}

// Choose returns where the store is: the flag's word, PMCTL_STORE's, the config file's,
// or pmctl's own file.
func (o *StoreOptions) Choose(env *Env) (string, error) {
	location, _, err := o.Locate(env)
	return location, err
}

// Locate is choose that also returns what says so.
func (o *StoreOptions) Locate(env *Env) (location, from string, err error) {
	if wallet.StoreHasPassword(o.Location) {
		return "", "", WithHint(Usagef("%s: the URL has a password in it; other users can see command lines, so treat it as compromised", cmp.Or(o.Flag, "--store")),
			"leave it out and set PGPASSWORD or PGPASSFILE, or say it in ~/.pgpass, PMCTL_STORE or store in the config file")
	}
	location, from, err = env.Find(o.Location, SettingStore())
	if err != nil || location != "" {
		return location, from, err
	}
	dir, err := env.stateDir()
	return filepath.Join(dir, "store.db"), from, err
}

// CheckBound refuses another store than the one in which a binding limit is counted: where
// a budget binds, its store does too. It is for commands that make tickets; the others
// may read or look after any store. It fails with *config.OtherStoreError and
// *config.UnboundStoreError.
func (o *StoreOptions) CheckBound(env *Env) error {
	location, from, err := o.Locate(env)
	if err != nil {
		return err
	}
	files, err := env.Settings()
	if err != nil {
		return err
	}
	for rank, binding := range files.ranked() {
		counted := binding.Counted()
		if counted == "" {
			continue
		}
		limit := binding.place(policy.SpecOf(counted).Key)
		bound, boundBy := files.storeUpTo(rank)
		switch {
		case bound != "":
			if by := config.DecidedBy(bound, env.Getenv); by != "" {
				return &config.UnboundStoreError{Limit: limit, Path: binding.Path, DecidedBy: by}
			}
		case binding.Path == files.System.Path:
			// The user's own folder is where the environment says.
			return &config.UnboundStoreError{Limit: limit, Path: binding.Path, DecidedBy: "the environment"}
		default:
			dir, err := env.stateDir()
			if err != nil {
				return err
			}
			bound, boundBy = filepath.Join(dir, "store.db"), binding.place("store")
		}
		if !config.SameStore(location, bound) {
			return &config.OtherStoreError{Store: location, ChosenBy: from, Limit: limit, Bound: bound, BoundBy: boundBy}
		}
	}
	return nil
}
