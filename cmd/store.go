package cmd

import (
	"context"
	"path/filepath"

	"github.com/pmctl/pmctl/wallet/store"
)

// storePath is where the store is.
func (e *Env) storePath() (string, error) {
	dir, err := e.stateDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "store.db"), nil
}

// openStore opens the store, and makes it where there is none.
func (r *run) openStore(ctx context.Context) (*store.Store, error) {
	path, err := r.storePath()
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, path)
}
