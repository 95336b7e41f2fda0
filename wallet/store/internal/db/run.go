package db

import (
	"cmp"
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

// End implements Run. Before it releases the lock it removes the file, or where a system removes no
// open one says that the run has ended: so no process takes it for a dead run.
func (r *fileRun) End() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token == "" {
		return nil
	}
	token := r.token
	r.token = ""
	said := os.WriteFile(r.ended(token), nil, 0o600)
	removed := r.remove(token)
	err := r.lock.Unlock()
	if removed != nil {
		removed = r.remove(token)
	}
	if removed == nil {
		return err
	}
	// The next process that looks removes both, where the file says that the run has ended.
	return cmp.Or(err, said)
}

// Lose releases the lock as a crash does, for tests.
func (r *fileRun) Lose() error { return r.lock.Unlock() }

// State implements Run: a run that ends says so, and removes its file; a dead one leaves it. Two
// processes that look at the same time do not take each other for the run: they share its lock.
func (r *fileRun) State(_ *Tx, token string) (RunState, error) {
	if strings.ContainsAny(token, `/\.`) || token == "" {
		return Gone, fmt.Errorf("%w: %q names no run", ErrDamaged, token)
	}
	lock := flock.New(r.path(token), flock.SetFlag(os.O_RDWR)) // which creates no file
	held, err := lock.TryRLock()
	if err == nil && !held {
		return Alive, nil
	}
	ended := r.hasEnded(token)
	if held {
		err = lock.Unlock()
	}
	switch {
	case ended:
		r.Forget(token)
		return Gone, nil
	case err != nil:
		return Gone, fmt.Errorf("%w: lock %s: %w", ErrAccess, lock.Path(), err)
	}
	return Dead, nil
}

// hasEnded tells a run that has ended from one that died, once no process holds its lock. What says
// that it has ended is there for as long as its file.
func (r *fileRun) hasEnded(token string) bool {
	if _, err := os.Stat(r.ended(token)); err == nil {
		return true
	}
	_, err := os.Stat(r.path(token))
	return os.IsNotExist(err)
}

// remove removes a run's file, and then what says that it has ended.
func (r *fileRun) remove(token string) error {
	if err := os.Remove(r.path(token)); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.Remove(r.ended(token)); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

func (r *fileRun) Forget(token string)       { _ = r.remove(token) }
func (r *fileRun) ended(token string) string { return r.path(token) + ".ended" }
func (r *fileRun) path(token string) string  { return filepath.Join(r.folder, token) }
