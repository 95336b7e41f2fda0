package cli

import (
	"cmp"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/wallet"
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
			"leave it out and set PGPASSWORD or PGPASSFILE, or write it into ~/.pgpass, PMCTL_STORE or store in the config file")
	}
	location, from, err = env.Find(o.Location, SettingStore())
	if err != nil || location != "" {
		return location, from, err
	}
	location, err = ownStore(env)
	return location, from, err
}

// CheckBound refuses another store than the one in which a binding limit is counted, as
// config.Settings.CheckBound says. It is for commands that make tickets; the others may read or
// look after any store.
func (o *StoreOptions) CheckBound(env *Env) error {
	location, from, err := o.Locate(env)
	if err != nil {
		return err
	}
	files, err := env.Settings()
	if err != nil {
		return err
	}
	return files.CheckBound(location, from, env.Getenv, func() (string, error) { return ownStore(env) })
}

// ownStore is pmctl's own file, which is the store where nothing names another.
func ownStore(env *Env) (string, error) {
	dir, err := env.stateDir()
	return filepath.Join(dir, "store.db"), err
}
