package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
)

// Spend is tickets that a sender wants to make.
type Spend struct {
	// Sender is who pays.
	Sender common.Address

	// Params are what the tickets are made from; Count is how many there will be.
	Params *pm.TicketParams
	Count  uint32

	// Cap is how many nonces the session has; 0 is as many as there are numbers.
	Cap uint32

	// Allow tells whether the tickets may be made after what was spent on the day,
	// when nobody else can spend: policy.Limits.CheckBudget. Nil allows everything.
	Allow func(recipient common.Address, asked policy.Sum, spent policy.Spending) error

	// At is the time that decides the day; zero is now.
	At time.Time

	// Request makes the same request twice get the same tickets; nil is a request of
	// its own.
	Request *Request
}

// at is when the spending happens.
func (s Spend) at() time.Time {
	if s.At.IsZero() {
		return time.Now()
	}
	return s.At
}

// Made are tickets whose nonces are taken.
type Made struct {
	// Nonces are the tickets'.
	Nonces pm.NonceRange

	// Before is what was made for the same request before, to which Nonces belong;
	// nil when they were taken just now.
	Before *Record
}

// Reserve takes the next nonces of the session that s.Params.RecipientRandHash names;
// a session's first nonce is 1. When it returns the reservation is on disk together
// with what the tickets cost and the request, and no call in any process gets one of
// these nonces again.
//
// It fails with *pm.NonceCapError when s.Cap or the width of a nonce leaves fewer than
// s.Count; with pm.ErrTicketCount for a count of 0; with *pm.FieldError for params that
// do not fit; with what s.Allow fails with; with *RetiredError and *RequestError; with
// ErrBusy, ErrAccess or ErrDamaged; and with ctx's error. Nonces are then either not
// taken or lost, never handed out.
func (c *Chain) Reserve(ctx context.Context, s Spend) (*Made, error) {
	if err := s.Params.CheckFields(); err != nil {
		return nil, err
	}
	if s.Count == 0 {
		return nil, fmt.Errorf("%w: 0", pm.ErrTicketCount)
	}
	var made *Made
	err := c.store.write(ctx, func(tx *sql.Tx) (err error) {
		made, err = c.reserve(ctx, tx, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reserve %d nonces: %w", s.Count, err)
	}
	return made, nil
}

func (c *Chain) reserve(ctx context.Context, tx *sql.Tx, s Spend) (*Made, error) {
	if s.Request != nil {
		before, err := c.request(ctx, tx, s.Sender, *s.Request)
		if err != nil {
			return nil, err
		}
		if before != nil {
			return &Made{Nonces: before.Nonces, Before: before}, nil
		}
	}
	hash, at := s.Params.RecipientRandHash, s.at()
	if _, err := tx.ExecContext(ctx, insertSession, hash.Hex()); err != nil {
		return nil, err
	}
	used, err := usedNonces(ctx, tx, hash)
	if err != nil {
		return nil, err
	}
	if err := checkLast(ctx, tx, hash, used); err != nil {
		return nil, err
	}
	nonces, err := pm.NextNonces(hash, used, s.Count, s.Cap)
	if err != nil {
		return nil, err
	}
	if err := c.spend(ctx, tx, s, at); err != nil {
		return nil, err
	}
	result, err := tx.ExecContext(ctx, advanceUsed, int64(used)+int64(s.Count), hash.Hex(), used)
	if err != nil {
		return nil, err
	}
	if changed, err := result.RowsAffected(); err != nil || changed != 1 {
		return nil, fmt.Errorf("session %v: %d rows advanced instead of 1: %w", hash, changed, errors.Join(ErrDamaged, err))
	}
	_, err = tx.ExecContext(ctx, insertReservation,
		hash.Hex(), nonces.First, nonces.Count, c.id, s.Sender.Hex(), s.Params.Recipient.Hex(),
		decimal(s.Params.FaceValue), s.Params.EV().RatString(), decimal(s.Params.ExpirationBlock), at.UnixMilli())
	if err == nil && s.Request != nil {
		_, err = tx.ExecContext(ctx, insertRequest, c.id, s.Sender.Hex(), s.Request.ID, s.Request.Digest,
			hash.Hex(), nonces.First, nonces.Count, string(s.Request.Record), string(Reserved), at.UnixMilli())
	}
	if err != nil {
		return nil, err
	}
	return &Made{Nonces: nonces}, nil
}

// checkLast holds a session's count against its last reservation. They are on different
// pages of the file, so that no damaged page sets a session back.
func checkLast(ctx context.Context, tx *sql.Tx, hash common.Hash, used uint32) error {
	var last int64
	err := scanRow(tx.QueryRowContext(ctx, selectLast, hash.Hex()), &last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if last != int64(used) {
		return fmt.Errorf("%w: session %v has used %d nonces, and its last reservation ends at %d", ErrDamaged, hash, used, last)
	}
	return nil
}

// usedNonces fails with *RetiredError, and with sql.ErrNoRows where there is no session.
func usedNonces(ctx context.Context, tx *sql.Tx, hash common.Hash) (used uint32, err error) {
	var retired sql.NullInt64
	err = scanRow(tx.QueryRowContext(ctx, selectSession, hash.Hex()), &used, &retired)
	if err == nil && retired.Valid {
		err = &RetiredError{RecipientRandHash: hash, At: time.UnixMilli(retired.Int64).UTC()}
	}
	return used, err
}
