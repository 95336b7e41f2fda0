package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
)

// Request names something that is to happen once, however often it is asked for. Ids
// are a sender's own on a chain.
type Request struct {
	// ID is the user's name for it.
	ID string

	// Digest tells what is asked for: the same id with another digest is refused.
	Digest string

	// Record is what makes the same tickets again together with their nonces. It must
	// be text.
	Record []byte
}

// State is how far a request has come.
type State string

// The states of a request.
const (
	// Reserved has nonces, and nothing made with them was delivered by pmctl.
	Reserved State = "reserved"

	// Sent may have been delivered.
	Sent State = "sent"

	// Accepted was delivered, and the recipient has accepted it.
	Accepted State = "accepted"

	// Refused was delivered, and the recipient refused it.
	Refused State = "refused"
)

// Record is what was made for a request.
type Record struct {
	// ID and Digest are the request's; RecipientRandHash and Nonces are the tickets'.
	ID, Digest        string
	RecipientRandHash common.Hash
	Nonces            pm.NonceRange

	// Record is the request's own; empty when the request came with another store,
	// which alone can make its tickets again.
	Record []byte

	// State is how far it has come, and Outcome what was said about that.
	State   State
	Outcome string

	// At is when the tickets were made.
	At time.Time
}

// RequestError is a request under an id that stands for another one already.
type RequestError struct {
	// ID is the request's, At when the other was made.
	ID string
	At time.Time
}

func (e *RequestError) Error() string {
	return fmt.Sprintf("request %q was something else when it was made at %s", e.ID, e.At.Format(time.RFC3339))
}

// Hint says what to do.
func (e *RequestError) Hint() string {
	return "repeat it with the arguments that it had then, or choose another id"
}

// errNoRequest is returned for a request that somebody has done anew meanwhile.
var errNoRequest = errors.New("another process has taken the request over")

// Requested returns what was made for a sender's request, nil when nothing was. It fails
// with *RequestError.
func (c *Chain) Requested(ctx context.Context, sender common.Address, request Request) (record *Record, err error) {
	err = c.store.read(ctx, func(tx *sql.Tx) (err error) {
		record, err = c.request(ctx, tx, sender, request)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for request %q: %w", request.ID, err)
	}
	return record, nil
}

func (c *Chain) request(ctx context.Context, tx querier, sender common.Address, request Request) (*Record, error) {
	r := &Record{ID: request.ID, Digest: request.Digest}
	var digest, hash, record, state string
	var at int64
	err := scanRow(tx.QueryRowContext(ctx, selectRequested, c.id, sender.Hex(), request.ID),
		&digest, &hash, &r.Nonces.First, &r.Nonces.Count, &record, &state, &r.Outcome, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.Record, r.State, r.At = []byte(record), State(state), time.UnixMilli(at).UTC()
	if r.RecipientRandHash, err = parseHash(hash); err != nil {
		return nil, fmt.Errorf("%w: request %q: %w", ErrDamaged, request.ID, err)
	}
	if digest != request.Digest {
		return nil, &RequestError{ID: request.ID, At: r.At}
	}
	return r, nil
}

// SetRequest notes what became of a request. One that was accepted stays so.
func (c *Chain) SetRequest(ctx context.Context, sender common.Address, r *Record, state State, outcome string) error {
	return c.changeRequest(ctx, updateRequest, sender, r, string(state), outcome)
}

// ReleaseRequest forgets a request, so that it may be made anew, when it is in a state.
func (c *Chain) ReleaseRequest(ctx context.Context, sender common.Address, r *Record, state State) error {
	return c.changeRequest(ctx, deleteRequest, sender, r, string(state))
}

func (c *Chain) changeRequest(ctx context.Context, statement string, sender common.Address, r *Record, args ...any) error {
	args = append([]any{c.id, sender.Hex(), r.ID, r.RecipientRandHash.Hex(), r.Nonces.First}, args...)
	err := c.store.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		if changed, err := result.RowsAffected(); err != nil || changed != 1 {
			return errors.Join(errNoRequest, err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note what became of request %q: %w", r.ID, err)
	}
	return nil
}
