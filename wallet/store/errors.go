package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

var (
	// ErrLocation is returned for what is neither a path nor a URL that can be meant.
	// Nothing of a URL is shown, since a password could be anywhere in it.
	ErrLocation = db.ErrLocation

	// ErrNotStore is returned for a file that is no SQLite database, and for one, or
	// a schema of a PostgreSQL database, that is another program's. It has not been
	// changed.
	ErrNotStore = db.ErrNotStore

	// ErrDamaged is returned for a store that is found inconsistent.
	ErrDamaged = db.ErrDamaged

	// ErrAccess is returned when the store or its folder cannot be read, written or
	// made, or its server lets us not in. It wraps the reason where there is one.
	ErrAccess = db.ErrAccess

	// ErrUnreachable is the ErrAccess of a store whose server does not answer, or
	// went away in the middle. The same call may succeed later.
	ErrUnreachable = db.ErrUnreachable

	// ErrUncertain is returned with the reason when the connection to a server was
	// lost at the very end: the call has been done completely or not at all, and
	// which of the two is not known. Nonces are not handed out then.
	ErrUncertain = db.ErrUncertain

	// ErrBusy is returned when others have kept the store locked for longer than any
	// of our own transactions takes. Nothing was changed.
	ErrBusy = db.ErrBusy

	// ErrNoParams is returned when no ticket params are kept under a key.
	ErrNoParams = errors.New("no ticket params are kept")
)

// DamagedError is a store that cannot be used, and where it is. It wraps ErrDamaged, or
// ErrNotStore for what never was a store. Nothing in it was changed.
type DamagedError = db.DamagedError

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

// HasPassword tells whether a location is that of a database with a password in it. Wherever
// others may read it, as on a command line, there must be none.
func HasPassword(location string) bool { return db.HasPassword(location) }

// Display returns a location as it may be shown to anybody: a path, or a URL without
// what is secret in it.
func Display(location string) string { return db.Display(location) }
