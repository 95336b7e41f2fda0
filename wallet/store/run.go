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

	// look tells what became of the run that has a token.
	look(ctx context.Context, t *sql.Tx, token string) (fate, error)

	// forget removes what a run left that died.
	forget(token string)

	// end ends the run, if it has begun.
	end() error
}

// fate is what became of a run.
type fate int

const (
	// alive is a run that still works.
	alive fate = iota
	// dead is one whose process ended before the run did.
	dead
	// gone is one of which only that is known that it does not work any more.
	gone
)

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

// look implements run: a run that ends takes its file with it, one that dies leaves it.
func (r *fileRun) look(_ context.Context, _ *sql.Tx, token string) (fate, error) {
	if strings.ContainsAny(token, `/\.`) || token == "" {
		return gone, fmt.Errorf("%w: %q names no run", ErrDamaged, token)
	}
	if _, err := os.Stat(r.path(token)); os.IsNotExist(err) {
		return gone, nil
	}
	lock := flock.New(r.path(token))
	held, err := lock.TryLock()
	if err != nil {
		return gone, fmt.Errorf("%w: lock %s: %w", ErrAccess, lock.Path(), err)
	}
	if !held {
		return alive, nil
	}
	return dead, lock.Unlock()
}

func (r *fileRun) forget(token string) { _ = os.Remove(r.path(token)) }

func (r *fileRun) path(token string) string { return filepath.Join(r.folder, token) }
