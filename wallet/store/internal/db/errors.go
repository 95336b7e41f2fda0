package db

import (
	"errors"
	"fmt"
)

// The errors of a database, which package store documents.
var (
	ErrLocation    = errors.New("not the location of a store")
	ErrNotStore    = errors.New("not a pmctl store")
	ErrDamaged     = errors.New("the store is damaged")
	ErrAccess      = errors.New("cannot use the store")
	ErrUnreachable = fmt.Errorf("%w: its server cannot be reached", ErrAccess)
	ErrUncertain   = errors.New("whether the store kept it is not known")
	ErrBusy        = errors.New("the store is locked by another process")
)

// NoAccess is the ErrAccess with a reason; nil for nil.
func NoAccess(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrAccess, err)
}

// DamagedError is a store's file that cannot be used: it wraps ErrDamaged, or
// ErrNotStore for one that never was a store. Nothing in it was changed.
type DamagedError struct {
	// Path names the file.
	Path string

	// Err says what is wrong with it.
	Err error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }

// Unwrap returns what is wrong.
func (e *DamagedError) Unwrap() error { return e.Err }

// Hint says what to do.
func (e *DamagedError) Hint() string {
	if isDatabase, err := classify(e.Path); err == nil && isDatabase {
		return "pmctl store check looks at all of it; restore the schema pmctl from a backup, or name another database: pmctl then fetches fresh ticket params"
	}
	return "pmctl store check looks at all of it; to go on without it, move it and the files beside it away: pmctl then makes a new one and fetches fresh ticket params"
}

// WithPath says which file it is that cannot be used.
func WithPath(err error, path string) error {
	if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotStore) || errors.As(err, new(*DamagedError)) {
		return err
	}
	return &DamagedError{Path: path, Err: err}
}
