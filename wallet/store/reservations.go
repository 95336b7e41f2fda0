package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
)

// Reservation is tickets that were made at once: an entry of the ledger.
type Reservation struct {
	// RecipientRandHash names the session, Nonces are the tickets' in it.
	RecipientRandHash common.Hash
	Nonces            pm.NonceRange

	// Recipient is whom the tickets pay.
	Recipient common.Address

	// FaceValue is what a ticket pays if it wins, in wei; TicketEV is what one is
	// worth, exactly, in wei.
	FaceValue *big.Int
	TicketEV  *big.Rat

	// ExpirationBlock is the L1 block from which the recipient refuses them, and from
	// which it redeems them.
	ExpirationBlock *big.Int

	// At is when they were made.
	At time.Time
}

const (
	reservationFields   = `SELECT recipient_rand_hash, first_nonce, nonces, recipient, face_value, ticket_ev, expiration_block, reserved_at FROM reservations`
	selectReservations  = reservationFields + ` WHERE chain_id = $1 AND sender = $2 AND reserved_at >= $3 ORDER BY reserved_at, recipient_rand_hash, first_nonce`
	selectReservationOf = reservationFields + ` WHERE recipient_rand_hash = $1 AND first_nonce <= $2 AND chain_id = $3 AND sender = $4 ORDER BY first_nonce DESC LIMIT 1`

	selectFirstReservation = `SELECT MIN(reserved_at) FROM reservations WHERE chain_id = $1 AND sender = $2`
)

// FirstReservation returns when a sender made its first tickets, or the zero time when it
// has made none.
func (c *Chain) FirstReservation(ctx context.Context, sender common.Address) (time.Time, error) {
	var at sql.NullInt64
	err := c.store.read(ctx, func(tx *sql.Tx) error {
		return scanRow(tx.QueryRowContext(ctx, selectFirstReservation, c.id, sender.Hex()), &at)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("read the ledger: %w", err)
	}
	if !at.Valid {
		return time.Time{}, nil
	}
	return time.UnixMilli(at.Int64).UTC(), nil
}

// ErrNoReservation is returned for a ticket that was not made with this store.
var ErrNoReservation = errors.New("no such ticket was made with this store")

// Reservations hands what a sender has made since a time to each, the oldest first. An
// error of each ends it.
func (c *Chain) Reservations(ctx context.Context, sender common.Address, since time.Time, each func(Reservation) error) error {
	var ours error
	err := c.store.read(ctx, func(tx *sql.Tx) error {
		ours = nil
		return eachRow(ctx, tx, func(rows *sql.Rows) error {
			r, err := scanReservation(rows)
			if err == nil {
				ours = each(r)
			}
			return cmp.Or(err, ours)
		}, selectReservations, c.id, sender.Hex(), since.UnixMilli())
	})
	if ours != nil {
		return ours
	}
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	return nil
}

// ReservationOf returns what a sender's ticket was made with, or ErrNoReservation.
func (c *Chain) ReservationOf(ctx context.Context, sender common.Address, recipientRandHash common.Hash, nonce uint32) (Reservation, error) {
	var found Reservation
	err := c.store.read(ctx, func(tx *sql.Tx) error {
		found = Reservation{}
		return eachRow(ctx, tx, func(rows *sql.Rows) (err error) {
			found, err = scanReservation(rows)
			return err
		}, selectReservationOf, recipientRandHash.Hex(), int64(nonce), c.id, sender.Hex())
	})
	if err != nil {
		return Reservation{}, fmt.Errorf("read the ledger: %w", err)
	}
	if uint64(nonce) >= uint64(found.Nonces.First)+uint64(found.Nonces.Count) {
		return Reservation{}, ErrNoReservation
	}
	return found, nil
}

func scanReservation(rows *sql.Rows) (Reservation, error) {
	var r Reservation
	var hash, recipient, faceValue, ev, expiration string
	var at int64
	if err := rows.Scan(&hash, &r.Nonces.First, &r.Nonces.Count, &recipient, &faceValue, &ev, &expiration, &at); err != nil {
		return r, err
	}
	r.At = time.UnixMilli(at).UTC()
	// An expected value's fraction is wider than a ticket's fields.
	each, err := parseSum(1, ev, faceValue)
	r.TicketEV, r.FaceValue = each.EV, each.FaceValue
	return r, cmp.Or(
		err,
		column("recipient_rand_hash", &r.RecipientRandHash, parseHash, hash),
		column("recipient", &r.Recipient, parseAddress, recipient),
		column("expiration_block", &r.ExpirationBlock, parseUint, expiration),
	)
}
