package db

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gofrs/flock"
)

// Run is one run of the program, as others can tell whether it still works.
type Run interface {
	// Begin returns the run's token. From the first call on the run is alive, until End or
	// until its process ends.
	Begin(ctx context.Context) (token string, err error)

	// State returns whether the run with a token is alive, or how it ended.
	State(tx *Tx, token string) (RunState, error)

	// Forget removes what a dead run left.
	Forget(token string)

	// End ends the run, if it has begun.
	End() error
}

// RunState says whether a run is alive, and how it ended.
type RunState int

const (
	// Alive is a run whose process works on it.
	Alive RunState = iota
	// Dead is one whose process ended before End.
	Dead
	// Gone is one that is not alive, and may have ended in either way.
	Gone
)

// fileRun holds the lock of a file of its own.
type fileRun struct {
	folder string

	mu    sync.Mutex
	token string
	lock  *flock.Flock
}

func (r *fileRun) Begin(context.Context) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token != "" {
		return r.token, nil
	}
	if err := os.MkdirAll(r.folder, 0o700); err != nil {
		return "", NoAccess(err)
	}
	token := rand.Text()
	lock := flock.New(r.path(token), flock.SetPermissions(0o600))
	if held, err := lock.TryLock(); err != nil || !held {
		return "", fmt.Errorf("%w: lock %s: %w", ErrAccess, lock.Path(), err)
	}
	r.token, r.lock = token, lock
	return token, nil
}

func (r *fileRun) End() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token == "" {
		return nil
	}
	r.token = ""
	// Removed while it is locked, so that no process takes it for a dead run.
	if err := os.Remove(r.lock.Path()); err != nil && !os.IsNotExist(err) {
		return err
	}
	return r.lock.Unlock()
}

// Lose releases the lock as a crash does, for tests.
func (r *fileRun) Lose() error { return r.lock.Unlock() }

// State implements Run: a run that ends removes its file, a dead one leaves it.
func (r *fileRun) State(_ *Tx, token string) (RunState, error) {
	if strings.ContainsAny(token, `/\.`) || token == "" {
		return Gone, fmt.Errorf("%w: %q names no run", ErrDamaged, token)
	}
	if _, err := os.Stat(r.path(token)); os.IsNotExist(err) {
		return Gone, nil
	}
	lock := flock.New(r.path(token))
	held, err := lock.TryLock()
	if err != nil {
		return Gone, fmt.Errorf("%w: lock %s: %w", ErrAccess, lock.Path(), err)
	}
	if !held {
		return Alive, nil
	}
	return Dead, lock.Unlock()
}

func (r *fileRun) Forget(token string)      { _ = os.Remove(r.path(token)) }
func (r *fileRun) path(token string) string { return filepath.Join(r.folder, token) }
