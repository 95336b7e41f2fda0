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

// version6 adds how many deliveries of a request's tickets were begun. What was sent
// before, other processes may have sent too: nothing counted them.
var version6 = []string{
	`ALTER TABLE requests ADD COLUMN deliveries BIGINT NOT NULL DEFAULT 0`,
	`UPDATE requests SET deliveries = CASE state WHEN 'reserved' THEN 0 WHEN 'sent' THEN 2 ELSE 1 END,
		outcome = CASE state WHEN 'sent' THEN '' ELSE outcome END`,
}

const (
	selectRequested = `SELECT digest, recipient_rand_hash, first_nonce, nonces, record, state, outcome, deliveries, made_at FROM requests` + requestKey

	// requestAsRead finds a request while it is what it was read as: these tickets, in
	// this state, with so many deliveries.
	requestAsRead = requestKey + ` AND recipient_rand_hash = $4 AND first_nonce = $5 AND state = $6 AND deliveries = $7`
	updateRequest = `UPDATE requests SET state = $8, outcome = $9, deliveries = $10` + requestAsRead
	deleteRequest = `DELETE FROM requests` + requestAsRead
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

// The states of a request. Reserved becomes Sent with the first delivery that is begun,
// and Sent becomes Reserved again when every delivery has failed before a ticket left.
const (
	// Reserved has nonces, and no ticket made with them can have left pmctl.
	Reserved State = "reserved"

	// Sent may have been delivered.
	Sent State = "sent"

	// Accepted was delivered, and the recipient has accepted it.
	Accepted State = "accepted"

	// Refused was delivered once, and the recipient refused it.
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

	// State is how far it has come, and Outcome what the recipient said about that.
	State   State
	Outcome string

	// Deliveries is how many deliveries were begun, by any process, of which a ticket may
	// have left.
	Deliveries int

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

// RequestMovedError is a request that another process has changed since it was read.
type RequestMovedError struct {
	// ID is the request's.
	ID string

	// Now is what it is now; nil when it was released, or was made anew with other tickets.
	Now *Record
}

func (e *RequestMovedError) Error() string {
	now := "released"
	if e.Now != nil {
		now = string(e.Now.State)
	}
	return fmt.Sprintf("another process is working on request %q, which is %s now", e.ID, now)
}

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
		&digest, &hash, &r.Nonces.First, &r.Nonces.Count, &record, &state, &r.Outcome, &r.Deliveries, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, mayBeNew(ctx, tx)
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

// BeginDelivery notes that a request's tickets are about to be delivered: from here on
// they may have left. It fails with *RequestMovedError, and then nothing may be sent, when
// the request is not what it was read as; else it brings r up to date.
func (c *Chain) BeginDelivery(ctx context.Context, sender common.Address, r *Record) error {
	begun := *r
	err := c.changeRequest(ctx, sender, r, func(now Record) (Record, error) {
		if now.State != r.State || now.Deliveries != r.Deliveries || now.State != Reserved && now.State != Sent {
			return now, &RequestMovedError{ID: r.ID, Now: &now}
		}
		now.State = Sent
		now.Deliveries++
		begun = now
		return now, nil
	})
	if err != nil {
		return fmt.Errorf("begin to deliver request %q: %w", r.ID, err)
	}
	*r = begun
	return nil
}

// EndDelivery notes how one delivery ended that BeginDelivery has begun, and returns the
// request as it is then: Reserved says that no ticket has left, Sent that this is not
// known, Accepted and Refused what the recipient has answered, with outcome in its words.
// A request that is accepted stays so. It is refused only when this was its only delivery:
// of several, one may be refused because the recipient has another.
func (c *Chain) EndDelivery(ctx context.Context, sender common.Address, r *Record, end State, outcome string) (*Record, error) {
	var after Record
	err := c.changeRequest(ctx, sender, r, func(now Record) (_ Record, err error) {
		after, err = now.ended(end, outcome)
		return after, err
	})
	if err != nil {
		return nil, fmt.Errorf("note what became of request %q: %w", r.ID, err)
	}
	return &after, nil
}

// ended returns the request after one of its deliveries has ended.
func (r Record) ended(end State, outcome string) (Record, error) {
	if r.Deliveries < 1 {
		return r, fmt.Errorf("%w: request %q has no delivery under way", ErrDamaged, r.ID)
	}
	switch {
	case r.State == Accepted:
	case end == Accepted:
		r.State, r.Outcome = Accepted, ""
	case end == Refused && r.Deliveries == 1:
		r.State, r.Outcome = Refused, outcome
	case end == Reserved:
		if r.Deliveries--; r.Deliveries == 0 {
			r.State = Reserved
		}
	}
	return r, nil
}

// ReleaseRequest forgets a request of which no ticket can have left, so that it may be
// made anew. It fails with *RequestMovedError when a delivery was begun.
func (c *Chain) ReleaseRequest(ctx context.Context, sender common.Address, r *Record) error {
	err := c.store.write(ctx, func(tx *sql.Tx) error {
		now, err := c.sameRequest(ctx, tx, sender, r)
		if err == nil && now.State != Reserved {
			err = &RequestMovedError{ID: r.ID, Now: now}
		}
		if err != nil {
			return err
		}
		return c.setRequest(ctx, tx, deleteRequest, sender, now)
	})
	if err != nil {
		return fmt.Errorf("release request %q: %w", r.ID, err)
	}
	return nil
}

// changeRequest replaces what is kept of a request with what change makes of it, in one
// transaction. It fails with *RequestMovedError when r's tickets are not the request's.
func (c *Chain) changeRequest(ctx context.Context, sender common.Address, r *Record, change func(Record) (Record, error)) error {
	return c.store.write(ctx, func(tx *sql.Tx) error {
		now, err := c.sameRequest(ctx, tx, sender, r)
		if err != nil {
			return err
		}
		after, err := change(*now)
		if err != nil {
			return err
		}
		return c.setRequest(ctx, tx, updateRequest, sender, now, string(after.State), after.Outcome, after.Deliveries)
	})
}

// sameRequest reads a request whose tickets are r's.
func (c *Chain) sameRequest(ctx context.Context, tx querier, sender common.Address, r *Record) (*Record, error) {
	now, err := c.request(ctx, tx, sender, Request{ID: r.ID, Digest: r.Digest})
	if err == nil && (now == nil || now.RecipientRandHash != r.RecipientRandHash || now.Nonces != r.Nonces) {
		err = &RequestMovedError{ID: r.ID}
	}
	return now, err
}

// setRequest runs a statement on a request while it is as now says. The condition is in
// the statement too, so that a wrong isolation level shows as no row changed.
func (c *Chain) setRequest(ctx context.Context, tx querier, statement string, sender common.Address, now *Record, args ...any) error {
	args = append([]any{c.id, sender.Hex(), now.ID, now.RecipientRandHash.Hex(), now.Nonces.First, string(now.State), now.Deliveries}, args...)
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	if changed, err := result.RowsAffected(); err != nil || changed != 1 {
		return errors.Join(&RequestMovedError{ID: now.ID}, err)
	}
	return nil
}
