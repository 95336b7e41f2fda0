package store

import (
	"errors"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

var (
	// ErrLocation is returned for a location that is neither a path nor a usable URL. The error
	// shows no part of a URL, since any part could be a password.
	ErrLocation = db.ErrLocation

	// ErrNotStore is returned for a file that is not an SQLite database, and for a database or
	// schema of another program. It has not been changed.
	ErrNotStore = db.ErrNotStore

	// ErrDamaged is returned for an inconsistent store.
	ErrDamaged = db.ErrDamaged

	// ErrAccess is returned if the store or its folder cannot be read, written or created, or
	// its server rejects the login. It wraps the reason if there is one.
	ErrAccess = db.ErrAccess

	// ErrUnreachable is the ErrAccess of a server that does not answer or that closed the
	// connection. The same call may succeed later.
	ErrUnreachable = db.ErrUnreachable

	// ErrUncertain is returned, with the reason, if the connection to a server was lost during
	// the commit: the call has been done completely or not at all, and which of the two is not
	// known. Nonces are not handed out then.
	ErrUncertain = db.ErrUncertain

	// ErrBusy is returned if other processes have locked the database for longer than any of
	// pmctl's own transactions takes. Nothing was changed.
	ErrBusy = db.ErrBusy

	// ErrSchema is returned for a store written by a newer pmctl. It has not been changed.
	ErrSchema = errors.New("the store was written by a newer pmctl")

	// ErrRetired is returned for a retired session: the store that counted its nonces was moved, copied
	// or restored, and may not know all that are taken.
	ErrRetired = errors.New("the session was retired")

	// ErrRequest is returned for a request ID that was used with different arguments.
	ErrRequest = errors.New("the request ID was already used with different arguments")

	// ErrNoParams is returned if no ticket params are stored for a sender and URL.
	ErrNoParams = errors.New("no ticket params in the store")
)

// DamagedError is a store that cannot be used, and its path. It wraps ErrDamaged, or
// ErrNotStore for a file that never was a store. Nothing was changed.
type DamagedError = db.DamagedError

// HasPassword reports whether a location is a database URL with a password. A location that
// others can read, such as one on a command line, must have none.
func HasPassword(location string) bool { return db.HasPassword(location) }

// Display returns a location without its secrets: a path as it is, and a URL without its password.
func Display(location string) string { return db.Display(location) }
