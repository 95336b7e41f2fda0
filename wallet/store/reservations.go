package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Reservation is a range of tickets made together: an entry of the ledger.
type Reservation struct {
	// RecipientRandHash identifies the session, Nonces the tickets in it.
	RecipientRandHash common.Hash
	Nonces            pm.NonceRange

	// Recipient is the recipient of the tickets.
	Recipient common.Address

	// FaceValue is what a winning ticket pays, in wei; TicketEV is the exact expected value of
	// one ticket, in wei.
	FaceValue *big.Int
	TicketEV  *big.Rat

	// ExpirationBlock is the L1 block from which the recipient refuses and redeems them.
	ExpirationBlock *big.Int

	// At is when they were made.
	At time.Time

	// Client is the ID of the client whose they are, "" for those of none.
	Client string
}

const (
	reservationFields   = `SELECT recipient_rand_hash, first_nonce, nonces, recipient, face_value, ticket_ev, expiration_block, reserved_at, client FROM reservations`
	selectReservations  = reservationFields + ` WHERE chain_id = $1 AND sender = $2 AND reserved_at >= $3 ORDER BY reserved_at, recipient_rand_hash, first_nonce`
	selectReservationOf = reservationFields + ` WHERE recipient_rand_hash = $1 AND first_nonce <= $2 AND chain_id = $3 AND sender = $4 ORDER BY first_nonce DESC LIMIT 1`

	selectFirstReservation = `SELECT MIN(reserved_at) FROM reservations WHERE chain_id = $1 AND sender = $2`
)

// FirstReservation returns when a sender made its first tickets, or the zero time if it has
// made none.
func (c *Chain) FirstReservation(ctx context.Context, sender common.Address) (time.Time, error) {
	return read(ctx, c.store, readLedger, func(tx *db.Tx) (at time.Time, err error) {
		err = tx.Row(selectFirstReservation, c.id, sender.Hex()).Scan((*millis)(&at))
		return at, err
	})
}

// Spending returns what a sender has spent on the chain on the day of at.
func (c *Chain) Spending(ctx context.Context, sender common.Address, at time.Time) (policy.Spending, error) {
	return read(ctx, c.store, "read what was spent", func(tx *db.Tx) (policy.Spending, error) {
		return spending(tx, c.id, sender, at)
	})
}

// Made returns the total of a sender's tickets on the chain, from the sums of each day.
func (c *Chain) Made(ctx context.Context, sender common.Address) (policy.Sum, error) {
	return read(ctx, c.store, readLedger, func(tx *db.Tx) (policy.Sum, error) {
		sum := policy.Cost(0, nil, nil)
		err := db.Each(tx, scanBooked, func(day booked) error {
			sum = sum.Plus(day.Sum)
			return nil
		}, selectAllDays, c.id, sender.Hex())
		return sum, err
	})
}

// readLedger describes these methods in errors.
const readLedger = "read the ledger"

// ErrNoReservation is returned for a ticket that was not made with this store.
var ErrNoReservation = errors.New("the ticket was not made with this store")

// Reservations calls each with every reservation of a sender since a time, the oldest first. An
// error of each ends it.
func (c *Chain) Reservations(ctx context.Context, sender common.Address, since time.Time, each func(Reservation) error) error {
	var ours error
	err := c.store.db.ReadOnce(ctx, func(tx *db.Tx) error {
		return db.Each(tx, scanReservation, func(r Reservation) error {
			ours = each(r)
			return ours
		}, selectReservations, c.id, sender.Hex(), since.UnixMilli())
	})
	if ours == nil && err != nil {
		return fmt.Errorf("%s: %w", readLedger, err)
	}
	return ours
}

// ReservationOf returns the reservation that has a sender's ticket, or ErrNoReservation.
func (c *Chain) ReservationOf(ctx context.Context, sender common.Address, recipientRandHash common.Hash, nonce uint32) (Reservation, error) {
	found, err := read(ctx, c.store, readLedger, func(tx *db.Tx) ([]Reservation, error) {
		return db.List(tx, scanReservation, selectReservationOf, recipientRandHash.Hex(), int64(nonce), c.id, sender.Hex())
	})
	if err != nil {
		return Reservation{}, err
	}
	if len(found) == 0 || uint64(nonce) >= uint64(found[0].Nonces.First)+uint64(found[0].Nonces.Count) {
		return Reservation{}, ErrNoReservation
	}
	return found[0], nil
}

func scanReservation(rows db.Scanner) (Reservation, error) {
	var r Reservation
	var hash, recipient, faceValue, ev, expiration string
	if err := rows.Scan(&hash, &r.Nonces.First, &r.Nonces.Count, &recipient, &faceValue, &ev, &expiration, (*millis)(&r.At), &r.Client); err != nil {
		return r, err
	}
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
