package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"
)

// run is one run of the program, as others can tell whether it still works.
type run interface {
	// begin returns the run's token. From the first call on it is alive, until end or
	// until the process ends, however that ends.
	begin(ctx context.Context) (token string, err error)

	// alive tells whether the run that has a token still works.
	alive(ctx context.Context, t *sql.Tx, token string) (bool, error)

	// end ends the run, if it has begun.
	end() error
}

// fileRun holds the lock of a file of its own.
type fileRun struct {
	folder string

	mu    sync.Mutex
	token string
	lock  *flock.Flock
}

func (r *fileRun) begin(context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token != "" {
		return r.token, nil
	}
	if err := os.MkdirAll(r.folder, 0o700); err != nil {
		return "", fmt.Errorf("%w: %w", ErrAccess, err)
	}
	token := rand.Text()
	lock := flock.New(r.path(token), flock.SetPermissions(0o600))
	if held, err := lock.TryLock(); err != nil || !held {
		return "", fmt.Errorf("%w: lock %s: %w", ErrAccess, lock.Path(), err)
	}
	r.token, r.lock = token, lock
	return token, nil
}

func (r *fileRun) end() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token == "" {
		return nil
	}
	r.token = ""
	// Removed while it is held: nobody can take it for a run that has died.
	if err := os.Remove(r.lock.Path()); err != nil && !os.IsNotExist(err) {
		return err
	}
	return r.lock.Unlock()
}

func (r *fileRun) alive(_ context.Context, _ *sql.Tx, token string) (bool, error) {
	if strings.ContainsAny(token, `/\.`) {
		return false, fmt.Errorf("%w: %q names no run", ErrDamaged, token)
	}
	if _, err := os.Stat(r.path(token)); os.IsNotExist(err) {
		return false, nil
	}
	lock := flock.New(r.path(token))
	held, err := lock.TryLock()
	if err != nil {
		return false, fmt.Errorf("%w: lock %s: %w", ErrAccess, lock.Path(), err)
	}
	if !held {
		return true, nil
	}
	// It died without a word. What it left is of no use to anybody.
	_ = os.Remove(lock.Path())
	return false, lock.Unlock()
}

func (r *fileRun) path(token string) string { return filepath.Join(r.folder, token) }
