package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

var (
	// ErrLocation is returned for what is neither a path nor a URL that can be meant.
	// Nothing of a URL is shown, since a password could be anywhere in it.
	ErrLocation = errors.New("not the location of a store")

	// ErrNotStore is returned for a file that is no SQLite database, and for one, or
	// a schema of a PostgreSQL database, that is another program's. It has not been
	// changed.
	ErrNotStore = errors.New("not a pmctl store")

	// ErrDamaged is returned for a store that is found inconsistent.
	ErrDamaged = errors.New("the store is damaged")

	// ErrAccess is returned when the store or its folder cannot be read, written or
	// made, or its server lets us not in. It wraps the reason where there is one.
	ErrAccess = errors.New("cannot use the store")

	// ErrUnreachable is the ErrAccess of a store whose server does not answer, or
	// went away in the middle. The same call may succeed later.
	ErrUnreachable = fmt.Errorf("%w: its server cannot be reached", ErrAccess)

	// ErrUncertain is returned with the reason when the connection to a server was
	// lost at the very end: the call has been done completely or not at all, and
	// which of the two is not known. Nonces are not handed out then.
	ErrUncertain = errors.New("whether the store kept it is not known")

	// ErrBusy is returned when others have kept the store locked for longer than any
	// of our own transactions takes. Nothing was changed.
	ErrBusy = errors.New("the store is locked by another process")

	// ErrNoParams is returned when no ticket params are kept under a key.
	ErrNoParams = errors.New("no ticket params are kept")
)

// SchemaError is a store written by a newer pmctl than this one. It has not been
// changed.
type SchemaError struct {
	// Path is where the store is, as Store.Path returns it.
	Path string

	// Found is the store's schema version, Known the newest that this pmctl reads.
	Found, Known int
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the store %s has schema version %d, this pmctl knows %d: use a newer pmctl", e.Path, e.Found, e.Known)
}

// RetiredError is a session that is over: the store that counted its nonces was moved,
// copied or restored, so that it is not known any more which of them are taken.
type RetiredError struct {
	// RecipientRandHash names the session, At is when it ended.
	RecipientRandHash common.Hash
	At                time.Time
}

func (e *RetiredError) Error() string {
	return fmt.Sprintf("session %v was retired at %s, when the store turned out to be moved, copied or restored", e.RecipientRandHash, e.At.Format(time.RFC3339))
}

// Hint says what to do.
func (e *RetiredError) Hint() string { return "fetch fresh ticket params: pmctl params fetch URL" }

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

// withPath says which file it is that cannot be used.
func withPath(err error, path string) error {
	if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotStore) || errors.As(err, new(*DamagedError)) {
		return err
	}
	return &DamagedError{Path: path, Err: err}
}
