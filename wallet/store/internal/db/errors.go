package db

import (
	"errors"
	"fmt"

	"github.com/pmctl/pmctl/internal/hint"
)

// The errors of a database, documented in package store.
var (
	ErrLocation = hint.With(errors.New("not a valid store location"),
		"pmctl config show names where it comes from: --store, PMCTL_STORE, or store in a config file")
	ErrNotStore    = errors.New("not a pmctl store")
	ErrDamaged     = errors.New("the store is damaged")
	ErrAccess      = errors.New("cannot use the store")
	ErrUnreachable = fmt.Errorf("%w: its server cannot be reached", ErrAccess)
	ErrUncertain   = errors.New("it is not known whether the store committed the change")
	ErrBusy        = errors.New("the store is locked by another process")
)

// NoAccess wraps a reason in ErrAccess; nil stays nil.
func NoAccess(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrAccess, err)
}

// DamagedError is a store's file that cannot be used: it wraps ErrDamaged, or ErrNotStore for a
// file that never was a store. Nothing was changed.
type DamagedError struct {
	// Path is the file's.
	Path string
	// Err is what is wrong with it.
	Err error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }
func (e *DamagedError) Unwrap() error { return e.Err }

func (e *DamagedError) Hint() string {
	if _, ok := hint.Of(e.Err); ok {
		return e.Remedy()
	}
	return "run pmctl store check to see all of the damage; " + e.Remedy()
}

// Remedy says what can be done once the damage is known.
func (e *DamagedError) Remedy() string {
	if said, ok := hint.Of(e.Err); ok {
		return said
	}
	if isDatabase, err := classify(e.Path); err == nil && isDatabase {
		return "restore the schema pmctl from a backup, or use another database: pmctl then fetches fresh ticket params"
	}
	return "to continue without this store, move it and the files beside it away: pmctl then creates a new one and fetches fresh ticket params"
}

// WithPath adds the file's path to a *DamagedError.
func WithPath(err error, path string) error {
	if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotStore) || errors.As(err, new(*DamagedError)) {
		return err
	}
	return &DamagedError{Path: path, Err: err}
}
