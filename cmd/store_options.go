package cmd

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/config"
	"github.com/pmctl/pmctl/wallet/store"
)

// storeOptions say where the store is.
type storeOptions struct{ location string }

func (o *storeOptions) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.location, "store", "", "`LOCATION` of the store: a file, or a database's postgres:// URL (default $PMCTL_STORE, else pmctl's own file)")
}

// open opens the store: the flag's, PMCTL_STORE's, the config file's, or pmctl's own.
func (o *storeOptions) open(ctx context.Context, env *Env) (*store.Store, error) {
	if store.HasPassword(o.location) {
		return nil, withHint(usagef("--store: the URL has a password in it; a command line is no secret, so it must count as known to others"),
			"leave it out and set PGPASSWORD or PGPASSFILE, or say it in ~/.pgpass, PMCTL_STORE or store in the config file")
	}
	location, err := env.pick(o.location, "PMCTL_STORE", func(f *config.File) string { return f.Store })
	if err != nil {
		return nil, err
	}
	if location == "" {
		dir, err := env.stateDir()
		if err != nil {
			return nil, err
		}
		location = filepath.Join(dir, "store.db")
	}
	opened, err := store.Open(ctx, location)
	if errors.Is(err, store.ErrLocation) {
		return nil, &usageError{err}
	}
	return opened, err
}
