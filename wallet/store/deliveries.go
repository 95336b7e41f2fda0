package store

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	// partAsRead finds tickets of a request while they are what they were read as: these
	// nonces, in this state, with so many deliveries.
	partAsRead = requestKey + ` AND set_number = $4 AND first_nonce = $5 AND nonces = $6 AND recipient_rand_hash = $7 AND state = $8 AND deliveries = $9`
	updatePart = `UPDATE request_parts SET state = $10, outcome = $11, deliveries = $12` + partAsRead
	deletePart = `DELETE FROM request_parts` + partAsRead
)

// BeginDelivery notes that a request's tickets are about to be delivered: from here on
// they may have left. It fails with *RequestMovedError, and then nothing may be sent, when
// they are not what they were read as; else it brings r up to date.
func (c *Chain) BeginDelivery(ctx context.Context, sender common.Address, r *Record) error {
	begun := *r
	_, err := c.changeParts(ctx, "begin to deliver", sender, r, func(now Record) (Record, error) {
		if !now.is(r) || !now.mayLeave() {
			return now, &RequestMovedError{ID: r.ID, Now: &now}
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

// EndDelivery notes how one delivery ended that BeginDelivery has begun, and returns the
// tickets as they are then: Reserved says that none of them has left, Sent that this is not
// known, Accepted and Refused what the recipient has answered, with outcome in its words.
// Tickets that are accepted stay so. They are refused only when this was their only
// delivery: of several, one may be refused because the recipient has another. Where another
// process has split them since, their parts are what one State can say of them.
func (c *Chain) EndDelivery(ctx context.Context, sender common.Address, r *Record, end State, outcome string) (*Record, error) {
	after, err := c.changeParts(ctx, "note what became of", sender, r, func(now Record) (Record, error) { return now.ended(end, outcome) })
	if err != nil {
		return nil, err
	}
	whole := *after[0]
	whole.Nonces = r.Nonces
	for _, part := range after[1:] {
		if part.State != whole.State {
			whole.State, whole.Outcome = Sent, ""
		}
	}
	return &whole, nil
}

// ended returns the record after one of its deliveries has ended.
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

// SplitDelivery has a request's tickets delivered in parts of at most so many tickets, from
// 1. What was true of all of them is true of each part. It fails with *RequestMovedError
// when they are not what they were read as.
func (c *Chain) SplitDelivery(ctx context.Context, sender common.Address, r *Record, most uint32) error {
	return c.store.writeFor(ctx, fmt.Sprintf("split request %q", r.ID), func(tx *db.Tx) error {
		now, err := c.partsOf(tx, sender, r)
		if err != nil {
			return err
		}
		if len(now) != 1 || !now[0].is(r) || !now[0].mayLeave() {
			return &RequestMovedError{ID: r.ID, Now: now[0]}
		}
		if err := c.setPart(tx, deletePart, sender, now[0]); err != nil {
			return err
		}
		part, rest := *now[0], now[0].Nonces
		for rest.Count > 0 {
			part.Nonces = pm.NonceRange{First: rest.First, Count: min(most, rest.Count)}
			if err := c.insertPart(tx, sender, &part); err != nil {
				return err
			}
			rest.First, rest.Count = rest.First+part.Nonces.Count, rest.Count-part.Nonces.Count
		}
		return nil
	})
}

// ReleaseRequest forgets those of a request's tickets of which none can have left, so that
// others can be made for what they were to pay; and the request when it has no others. It
// fails with *RequestMovedError when the request is not what it was read as, or all of its
// tickets may have left.
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

// is tells whether tickets are as they were read.
func (r *Record) is(read *Record) bool {
	return r.Set == read.Set && r.RecipientRandHash == read.RecipientRandHash && r.Nonces == read.Nonces &&
		r.State == read.State && r.Deliveries == read.Deliveries
}

// mayLeave tells whether no recipient has answered yet.
func (r *Record) mayLeave() bool { return r.State == Reserved || r.State == Sent }

// changeParts replaces what is kept of a request's tickets with what change makes of it, in
// one transaction, and returns that. It fails with *RequestMovedError when they are not the
// request's any more.
func (c *Chain) changeParts(ctx context.Context, what string, sender common.Address, r *Record, change func(Record) (Record, error)) (after Records, err error) {
	err = c.store.writeFor(ctx, fmt.Sprintf("%s request %q", what, r.ID), func(tx *db.Tx) error {
		parts, err := c.partsOf(tx, sender, r)
		if err != nil {
			return err
		}
		after = nil
		for _, now := range parts {
			changed, err := change(*now)
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

// partsOf reads a request's tickets that are r's: one part, or several when they were split
// since r was read.
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

// setPart runs a statement on tickets while they are as now says. The condition is in the
// statement too, so that a wrong isolation level shows as no row changed.
func (c *Chain) setPart(tx *db.Tx, statement string, sender common.Address, now *Record, args ...any) error {
	args = append([]any{c.id, sender.Hex(), now.ID, now.Set, now.Nonces.First, now.Nonces.Count, now.RecipientRandHash.Hex(), string(now.State), now.Deliveries}, args...)
	changed, err := tx.Change(statement, args...)
	if err == nil && changed != 1 {
		err = &RequestMovedError{ID: now.ID}
	}
	return err
}
