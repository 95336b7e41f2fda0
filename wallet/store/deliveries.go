package store

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	// partAsRead selects tickets of a request only while they are unchanged since they were
	// read: same nonces, state and number of deliveries.
	partAsRead = requestKey + ` AND set_number = $4 AND first_nonce = $5 AND nonces = $6 AND recipient_rand_hash = $7 AND state = $8 AND deliveries = $9`
	updatePart = `UPDATE request_parts SET state = $10, outcome = $11, deliveries = $12` + partAsRead
	deletePart = `DELETE FROM request_parts` + partAsRead
)

// BeginDelivery records that a request's tickets are about to be delivered: from here on they
// count as possibly sent. It brings r up to date. If the tickets have changed since r was read
// it fails with *RequestMovedError, and the caller must send nothing. If another process has split
// them, Now sums up the parts as EndDelivery does.
func (c *Chain) BeginDelivery(ctx context.Context, sender common.Address, r *Record) error {
	begun := *r
	_, err := c.changeParts(ctx, "begin the delivery of", sender, r, func(now, whole Record) (Record, error) {
		if !now.is(r) || !now.mayLeave() {
			return now, &RequestMovedError{ID: r.ID, Now: &whole}
		}
		now.State = Sent
		now.Deliveries++
		begun = now
		return now, nil
	})
	if err == nil {
		*r = begun
	}
	return err
}

// EndDelivery records how a delivery ended that BeginDelivery began, and returns the tickets'
// new state. end is Reserved if no ticket has left, Sent if that is not known, and Accepted or
// Refused as the recipient answered, with outcome in its words. Accepted tickets stay accepted.
// They become refused only if this was their only delivery: of several, one may be refused
// because the recipient already has the tickets from another. If another process has split the
// tickets since, the returned Record sums up the parts in one State.
func (c *Chain) EndDelivery(ctx context.Context, sender common.Address, r *Record, end State, outcome string) (*Record, error) {
	after, err := c.changeParts(ctx, "record the outcome of", sender, r, func(now, _ Record) (Record, error) { return now.ended(end, outcome) })
	if err != nil {
		return nil, err
	}
	whole := after.whole()
	return &whole, nil
}

// whole sums up the parts of tickets that were delivered together once. Parts that differ are
// possibly sent: of those together, neither an answer nor its absence is known.
func (parts Records) whole() Record {
	whole := *parts[0]
	for _, part := range parts[1:] {
		whole.Nonces.Count += part.Nonces.Count
		if part.State != whole.State {
			whole.State, whole.Outcome = Sent, ""
		}
	}
	return whole
}

func (r Record) ended(end State, outcome string) (Record, error) {
	if r.Deliveries < 1 {
		return r, fmt.Errorf("%w: request %q has no delivery in progress", ErrDamaged, r.ID)
	}
	switch {
	case r.State == Accepted:
	case end == Accepted:
		r.State, r.Outcome = Accepted, outcome
	case end == Refused && r.Deliveries == 1:
		r.State, r.Outcome = Refused, outcome
	case end == Reserved:
		if r.Deliveries--; r.Deliveries == 0 {
			r.State = Reserved
		}
	}
	return r, nil
}

// SplitDelivery divides a request's tickets into parts of at most that many tickets, from 1.
// Each part keeps the state of the whole. It fails with *RequestMovedError if the tickets have
// changed since they were read.
func (c *Chain) SplitDelivery(ctx context.Context, sender common.Address, r *Record, most uint32) error {
	return c.store.writeFor(ctx, fmt.Sprintf("split request %q", r.ID), func(tx *db.Tx) error {
		now, err := c.partsOf(tx, sender, r)
		if err != nil {
			return err
		}
		if len(now) != 1 || !now[0].is(r) || !now[0].mayLeave() {
			whole := now.whole()
			return &RequestMovedError{ID: r.ID, Now: &whole}
		}
		if err := c.setPart(tx, deletePart, sender, now[0]); err != nil {
			return err
		}
		part, rest := *now[0], now[0].Nonces
		for rest.Count > 0 {
			part.Nonces = pm.NonceRange{First: rest.First, Count: min(most, rest.Count)}
			tx.Later(c.insertPart(sender, &part))
			rest.First, rest.Count = rest.First+part.Nonces.Count, rest.Count-part.Nonces.Count
		}
		return nil
	})
}

// ReleaseRequest deletes those of a request's tickets that cannot have left, so that others can be
// made for the same payment, and the request if it has no others. It fails with *RequestMovedError
// if the request has changed since it was read, or if all of its tickets may have left.
func (c *Chain) ReleaseRequest(ctx context.Context, sender common.Address, read Records) error {
	id, digest := read[0].ID, read[0].Digest
	return c.store.writeFor(ctx, fmt.Sprintf("release request %q", id), func(tx *db.Tx) error {
		now, err := c.request(tx, sender, Request{ID: id, Digest: digest})
		if err != nil {
			return err
		}
		if now.Version() != read.Version() {
			return &RequestMovedError{ID: id}
		}
		kept := 0
		for i, part := range now {
			switch {
			case !part.is(read[i]):
				return &RequestMovedError{ID: id, Now: part}
			case part.State != Reserved:
				kept++
			default:
				if err := c.setPart(tx, deletePart, sender, part); err != nil {
					return err
				}
			}
		}
		if kept == len(now) {
			return &RequestMovedError{ID: id, Now: now[kept-1]}
		}
		if err := tx.Exec(deleteEmptySets, c.id, sender.Hex(), id); err != nil || kept > 0 {
			return err
		}
		return tx.Exec(deleteRequest, c.id, sender.Hex(), id)
	})
}

// is reports whether tickets are unchanged since they were read.
func (r *Record) is(read *Record) bool {
	return r.Set == read.Set && r.RecipientRandHash == read.RecipientRandHash && r.Nonces == read.Nonces &&
		r.State == read.State && r.Deliveries == read.Deliveries
}

// mayLeave reports whether no recipient has answered yet.
func (r *Record) mayLeave() bool { return r.State == Reserved || r.State == Sent }

// changeParts replaces a request's tickets with what change returns, in one transaction, and
// returns that. change is given each part and the sum of all. It fails with *RequestMovedError if the
// tickets are no longer the request's.
func (c *Chain) changeParts(ctx context.Context, what string, sender common.Address, r *Record, change func(now, whole Record) (Record, error)) (after Records, err error) {
	err = c.store.writeFor(ctx, fmt.Sprintf("%s request %q", what, r.ID), func(tx *db.Tx) error {
		parts, err := c.partsOf(tx, sender, r)
		if err != nil {
			return err
		}
		after = nil
		whole := parts.whole()
		for _, now := range parts {
			changed, err := change(*now, whole)
			if err == nil {
				err = c.setPart(tx, updatePart, sender, now, string(changed.State), changed.Outcome, changed.Deliveries)
			}
			if err != nil {
				return err
			}
			after = append(after, &changed)
		}
		return nil
	})
	return after, err
}

// partsOf reads those of a request's tickets that r has: one part, or several if they were
// split since.
func (c *Chain) partsOf(tx *db.Tx, sender common.Address, r *Record) (Records, error) {
	now, err := c.request(tx, sender, Request{ID: r.ID, Digest: r.Digest})
	if err != nil {
		return nil, err
	}
	var parts Records
	var count uint32
	for _, part := range now {
		if part.RecipientRandHash == r.RecipientRandHash && part.Nonces.First >= r.Nonces.First &&
			uint64(part.Nonces.First)+uint64(part.Nonces.Count) <= uint64(r.Nonces.First)+uint64(r.Nonces.Count) {
			parts, count = append(parts, part), count+part.Nonces.Count
		}
	}
	if count != r.Nonces.Count || count == 0 {
		return nil, &RequestMovedError{ID: r.ID}
	}
	return parts, nil
}

// setPart runs a statement on tickets that must be as now says. The statement has that
// condition too, so that a wrong isolation level shows as no row changed.
func (c *Chain) setPart(tx *db.Tx, statement string, sender common.Address, now *Record, args ...any) error {
	args = append([]any{c.id, sender.Hex(), now.ID, now.Set, now.Nonces.First, now.Nonces.Count, now.RecipientRandHash.Hex(), string(now.State), now.Deliveries}, args...)
	changed, err := tx.Change(statement, args...)
	if err == nil && changed != 1 {
		err = &RequestMovedError{ID: now.ID}
	}
	return err
}
