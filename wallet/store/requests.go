package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	requestKey = ` WHERE chain_id = $1 AND sender = $2 AND request_id = $3`

	selectRequestHead = `SELECT digest, made_at FROM requests` + requestKey
	selectParts       = `SELECT p.set_number, p.recipient_rand_hash, p.first_nonce, p.nonces, COALESCE(s.record, ''), p.state, p.outcome, p.deliveries
		FROM request_parts p LEFT JOIN request_sets s
		ON s.chain_id = p.chain_id AND s.sender = p.sender AND s.request_id = p.request_id AND s.set_number = p.set_number
		WHERE p.chain_id = $1 AND p.sender = $2 AND p.request_id = $3 ORDER BY p.set_number, p.first_nonce`
	insertRequest = `INSERT INTO requests (chain_id, sender, request_id, digest, made_at) VALUES ($1, $2, $3, $4, $5)`
	insertSet     = `INSERT INTO request_sets (chain_id, sender, request_id, set_number, record) VALUES ($1, $2, $3, $4, $5)`
	insertPart    = `INSERT INTO request_parts
		(chain_id, sender, request_id, set_number, recipient_rand_hash, first_nonce, nonces, state, outcome, deliveries)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	deleteRequest   = `DELETE FROM requests` + requestKey
	deleteEmptySets = `DELETE FROM request_sets` + requestKey + ` AND set_number NOT IN (SELECT set_number FROM request_parts` + requestKey + `)`
)

// Request identifies a payment that is made once, however often it is asked for. IDs are unique
// to a sender and chain.
type Request struct {
	// ID is the user's name for it.
	ID string

	// Digest identifies the arguments: the same ID with another digest is refused.
	Digest string

	// Record is what is needed to make the same tickets again, besides their nonces. It must be
	// text.
	Record []byte

	// After is the Version of the Records that new tickets are added to; "" for the first ones.
	// If the request has other tickets by then, none are made.
	After string

	// Drawn marks an ID that was drawn at random just now, so that no store can have lost a
	// record of it.
	Drawn bool
}

// State is how far a request has got.
type State string

// The states of a request. Reserved becomes Sent with the first delivery, and Sent becomes
// Reserved again if every delivery failed before a ticket left.
const (
	// Reserved has nonces, and none of its tickets can have left pmctl.
	Reserved State = "reserved"
	// Sent may have been delivered.
	Sent State = "sent"
	// Accepted was delivered, and the recipient has accepted it.
	Accepted State = "accepted"
	// Refused was delivered once, and refused by the recipient.
	Refused State = "refused"
)

// Record is tickets that were made for a request and are delivered together.
type Record struct {
	// ID and Digest are the request's; RecipientRandHash and Nonces are the tickets'.
	ID, Digest        string
	RecipientRandHash common.Hash
	Nonces            pm.NonceRange

	// Set numbers the tickets of a request that were reserved together, from 1. A set may be
	// delivered in parts.
	Set int

	// Record is the request's own; empty if the request was imported from another store, which
	// alone can make its tickets again.
	Record []byte

	// State is how far it has got, and Outcome what the recipient said.
	State   State
	Outcome string

	// Deliveries counts the deliveries, by any process, in which a ticket may have left.
	Deliveries int

	// At is when the request was begun.
	At time.Time
}

// Records are all tickets made for a request, in the order of delivery. A batch of tickets has
// one Record.
type Records []*Record

// First returns the first Record, nil if there is none.
func (rs Records) First() *Record {
	if len(rs) == 0 {
		return nil
	}
	return rs[0]
}

// Version identifies the tickets and their division into parts; "" if there are none.
func (rs Records) Version() string {
	if len(rs) == 0 {
		return ""
	}
	sum := sha256.New()
	for _, r := range rs {
		fmt.Fprintln(sum, r.Set, r.RecipientRandHash, r.Nonces.First, r.Nonces.Count)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// RequestMovedError is a request that another process has changed since it was read.
type RequestMovedError struct {
	// ID is the request's.
	ID string
	// Now is its current state; nil if it was released, or made again with other tickets.
	Now *Record
}

func (e *RequestMovedError) Error() string {
	now := "released"
	if e.Now != nil {
		now = string(e.Now.State)
	}
	return fmt.Sprintf("another process is working on request %q, which is %s now", e.ID, now)
}

// Requested returns the tickets made for a sender's request, nil if there are none. It fails
// with ErrRequest.
func (c *Chain) Requested(ctx context.Context, sender common.Address, request Request) (Records, error) {
	return snapshot(ctx, c.store, fmt.Sprintf("look for request %q", request.ID), func(tx *db.Tx) (Records, error) {
		return c.request(tx, sender, request)
	})
}

func (c *Chain) request(tx *db.Tx, sender common.Address, request Request) (Records, error) {
	var digest string
	var at int64
	found, err := tx.Row(selectRequestHead, c.id, sender.Hex(), request.ID).Find(&digest, &at)
	switch {
	case err != nil:
		return nil, err
	case !found && request.Drawn:
		return nil, nil
	case !found:
		return nil, requireAcknowledged(tx)
	case digest != request.Digest:
		err = fmt.Errorf("request ID %q was already used with different arguments at %s", request.ID, fromMillis(at).Format(time.RFC3339))
		return nil, hint.With(hint.Kind(ErrRequest, err), "repeat the request with its first arguments, or choose another ID")
	}
	records, err := db.List(tx, func(rows db.Scanner) (*Record, error) {
		r := &Record{ID: request.ID, Digest: digest, At: fromMillis(at)}
		var hash string
		err := rows.Scan(&r.Set, &hash, &r.Nonces.First, &r.Nonces.Count, &r.Record, &r.State, &r.Outcome, &r.Deliveries)
		if err == nil {
			r.RecipientRandHash, err = parseHash(hash)
		}
		return r, err
	}, selectParts, c.id, sender.Hex(), request.ID)
	if err == nil && len(records) == 0 {
		err = ErrDamaged
	}
	if err != nil {
		return nil, fmt.Errorf("request %q: %w", request.ID, err)
	}
	return records, nil
}

// addToRequest adds newly reserved tickets to a request, which has before already, as a set of
// one part.
func (c *Chain) addToRequest(tx *db.Tx, sender common.Address, request *Request, before Records, made Record, at time.Time) {
	made.Set = 1
	if len(before) == 0 {
		tx.Later(db.Do(insertRequest, c.id, sender.Hex(), request.ID, request.Digest, at.UnixMilli()))
	} else {
		made.Set += before[len(before)-1].Set
	}
	made.ID, made.State = request.ID, Reserved
	tx.Later(db.Do(insertSet, c.id, sender.Hex(), request.ID, made.Set, string(request.Record)), c.insertPart(sender, &made))
}

func (c *Chain) insertPart(sender common.Address, r *Record) db.Statement {
	return db.Do(insertPart, c.id, sender.Hex(), r.ID, r.Set, r.RecipientRandHash.Hex(), r.Nonces.First, r.Nonces.Count,
		string(r.State), r.Outcome, r.Deliveries)
}
