package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const insertReservation = `INSERT INTO reservations
	(recipient_rand_hash, first_nonce, nonces, chain_id, sender, recipient, face_value, ticket_ev, expiration_block, reserved_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

// Spend is tickets that a sender wants to make.
type Spend struct {
	// Sender is who pays.
	Sender common.Address

	// Params are what the tickets are made from; Count is how many there will be.
	Params *pm.TicketParams
	Count  uint32

	// Ahead is how many more tickets are to follow for the same payment, made from other
	// params. Allow is asked for them too; nothing is taken for them.
	Ahead uint64

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

	// Before is what was made for the same request before, to which Nonces belong, the
	// first of it when it is several; nil when they were taken just now.
	Before *Record
}

// ReserveNonces is Reserve without a budget or a request. It implements pm.NonceStore.
func (c *Chain) ReserveNonces(ctx context.Context, sender common.Address, params *pm.TicketParams, count, limit uint32) (pm.NonceRange, error) {
	made, err := c.Reserve(ctx, Spend{Sender: sender, Params: params, Count: count, Cap: limit})
	if err != nil {
		return pm.NonceRange{}, err
	}
	return made.Nonces, nil
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
	outcomes, err := c.ReserveAll(ctx, []Spend{s})
	if err != nil {
		return nil, err
	}
	return outcomes[0].Made, outcomes[0].Err
}

// Outcome is what came of one of several Spends: it was made, or refused.
type Outcome struct {
	Made *Made
	Err  error
}

// ReserveAll does what Reserve does for each Spend, in order and in one transaction: what
// one took counts for the next. A Spend that is refused leaves the others alone, and its
// Outcome has Reserve's error. Where the store itself fails, or ctx ends, ReserveAll does,
// and nothing was taken.
func (c *Chain) ReserveAll(ctx context.Context, spends []Spend) ([]Outcome, error) {
	outcomes := make([]Outcome, len(spends))
	err := c.store.write(ctx, func(tx *db.Tx) error {
		if c.storeID != "" && c.storeID != c.store.ID() {
			return &RestoredError{Path: c.store.Path(), Cause: Cause{Code: CauseOther}}
		}
		if len(spends) > 1 {
			tx.Reuse()
		}
		books, taken := newBooks(c.id, tx), false
		for i, s := range spends {
			made, err := c.reserveOne(tx, books, s)
			taken = taken || err == nil && made.Before == nil
			refused := isRefusal(err)
			if err != nil {
				err = fmt.Errorf("reserve %d nonces: %w", s.Count, err)
			}
			if err != nil && !refused {
				return err
			}
			outcomes[i] = Outcome{made, err}
		}
		if !taken {
			return errNothingTaken
		}
		return books.close()
	})
	if err != nil && !errors.Is(err, errNothingTaken) {
		return nil, err
	}
	return outcomes, nil
}

// errNothingTaken undoes a transaction in which there is nothing to keep.
var errNothingTaken = errors.New("nothing was taken")

// notAllowed is what a Spend's Allow said.
type notAllowed struct{ error }

func (e notAllowed) Unwrap() error { return e.error }

// isRefusal tells a Spend that may not be from a store that failed.
func isRefusal(err error) bool {
	for _, target := range []any{new(notAllowed), new(*pm.NonceCapError), new(*pm.FieldError), new(*RetiredError), new(*RequestError), new(*RequestMovedError), new(*UnacknowledgedError)} {
		if errors.As(err, target) {
			return true
		}
	}
	return errors.Is(err, pm.ErrTicketCount)
}

// reserveOne takes a Spend's nonces, or leaves no trace of it.
func (c *Chain) reserveOne(tx *db.Tx, books *books, s Spend) (*Made, error) {
	if err := s.Params.CheckFields(); err != nil {
		return nil, err
	}
	if s.Count == 0 {
		return nil, fmt.Errorf("%w: 0", pm.ErrTicketCount)
	}
	if err := tx.Exec(`SAVEPOINT spend`); err != nil {
		return nil, err
	}
	made, err := c.reserve(tx, books, s)
	if err != nil {
		if undoErr := tx.Exec(`ROLLBACK TO SAVEPOINT spend`); undoErr != nil {
			return nil, undoErr
		}
	}
	if endErr := tx.Exec(`RELEASE SAVEPOINT spend`); endErr != nil {
		return nil, endErr
	}
	return made, err
}

func (c *Chain) reserve(tx *db.Tx, books *books, s Spend) (*Made, error) {
	var before Records
	if s.Request != nil {
		var err error
		if before, err = c.request(tx, s.Sender, *s.Request); err != nil {
			return nil, err
		}
		switch first := before.First(); {
		case before.Version() == s.Request.After:
		case first != nil:
			return &Made{Nonces: first.Nonces, Before: first}, nil
		default:
			return nil, &RequestMovedError{ID: s.Request.ID}
		}
	}
	hash, at := s.Params.RecipientRandHash, s.at()
	nonces, err := takeNonces(tx, hash, s.Count, s.Cap)
	if err != nil {
		return nil, err
	}
	page, err := books.open(s.Sender, at)
	if err != nil {
		return nil, err
	}
	ev := s.Params.EV()
	asked := policy.Cost(uint64(s.Count), ev, s.Params.FaceValue)
	if s.Allow != nil {
		all := asked.Plus(policy.Cost(s.Ahead, ev, s.Params.FaceValue))
		if err := s.Allow(s.Params.Recipient, all, page.spent); err != nil {
			return nil, notAllowed{err}
		}
	}
	err = tx.Exec(insertReservation,
		hash.Hex(), nonces.First, nonces.Count, c.id, s.Sender.Hex(), s.Params.Recipient.Hex(),
		decimal(s.Params.FaceValue), ev.RatString(), decimal(s.Params.ExpirationBlock), at.UnixMilli())
	if err == nil && s.Request != nil {
		err = c.addToRequest(tx, s.Sender, s.Request, before, Record{RecipientRandHash: hash, Nonces: nonces}, at)
	}
	if err != nil {
		return nil, err
	}
	page.add(s.Params.Recipient, asked)
	return &Made{Nonces: nonces}, nil
}
