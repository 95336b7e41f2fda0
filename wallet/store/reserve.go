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

const (
	intoReservations = `INSERT INTO reservations
		(recipient_rand_hash, first_nonce, nonces, chain_id, sender, recipient, face_value, ticket_ev, expiration_block, reserved_at, client) VALUES `
	insertReservation = intoReservations + `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
)

// Spend is a number of tickets to reserve.
type Spend struct {
	// Sender is the sender of the tickets.
	Sender common.Address

	// Params are the params of the tickets, Count their number.
	Params *pm.TicketParams
	Count  uint32

	// Ahead is how many more tickets of the same payment will follow, made from other params.
	// Allow counts them; nothing is reserved for them.
	Ahead uint64

	// Cap is how many nonces the session has; 0 sets no limit of its own.
	Cap uint32

	// Allow decides whether the tickets may be made, given what was spent on the day. It runs
	// while no other process can spend: policy.Limits.CheckBudget. Nil allows everything.
	Allow func(recipient common.Address, asked policy.Sum, spent policy.Spending) error

	// At is the time that decides the day; zero is now.
	At time.Time

	// Request returns the same tickets when the same request is repeated; nil is a request of
	// its own.
	Request *Request
}

func (s Spend) at() time.Time {
	if s.At.IsZero() {
		return time.Now()
	}
	return s.At
}

// Made is the result of a reservation.
type Made struct {
	// Nonces are the tickets'.
	Nonces pm.NonceRange

	// Before has the tickets that were made earlier for the same request: Nonces are those of
	// the first. It is nil if the nonces are new.
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

// Reserve takes the next nonces of the session s.Params.RecipientRandHash; a session's first
// nonce is 1. When it returns, the reservation is on disk together with the spending and the
// request, and no call in any process gets one of these nonces again.
//
// It fails with *pm.NonceCapError if s.Cap or the width of a nonce leaves fewer than s.Count;
// with pm.ErrTicketCount for a count of 0; as pm.TicketParams.CheckFields does; with a live.Refusal for
// a request that a database does not keep; with the error of s.Allow; with ErrRetired and
// ErrRequest; with ErrBusy, ErrAccess or ErrDamaged; and with ctx's error. Nonces are then not
// taken or lost, never handed out.
func (c *Chain) Reserve(ctx context.Context, s Spend) (*Made, error) {
	outcomes, err := c.ReserveAll(ctx, []Spend{s})
	if err != nil {
		return nil, err
	}
	return outcomes[0].Made, outcomes[0].Err
}

// Outcome is the result of one of several Spends: made, or refused.
type Outcome struct {
	Made *Made
	Err  error
}

// ReserveAll calls Reserve for each Spend, in order and in one transaction: each counts what
// the ones before it took. A refused Spend does not affect the others; its Outcome has
// Reserve's error. If the store fails or ctx ends, ReserveAll fails and nothing is taken.
func (c *Chain) ReserveAll(ctx context.Context, spends []Spend) ([]Outcome, error) {
	outcomes := make([]Outcome, len(spends))
	err := c.store.write(ctx, func(tx *db.Tx) error {
		if c.storeID != "" && c.storeID != c.store.ID() {
			return &RestoredError{Path: c.store.Path(), Cause: Cause{Code: CauseOther}}
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
		books.close()
		return nil
	})
	if err != nil && !errors.Is(err, errNothingTaken) {
		return nil, err
	}
	return outcomes, nil
}

// errNothingTaken rolls back a transaction that has nothing to commit.
var errNothingTaken = errors.New("nothing was taken")

// refused is an error of what a caller asked for, or of a function of its own such as Spend.Allow.
type refused struct{ error }

func (e refused) Unwrap() error { return e.error }

// isRefusal tells a refused Spend from a failure of the store.
func isRefusal(err error) bool {
	for _, target := range []any{new(refused), new(*pm.NonceCapError), new(*RequestMovedError), new(*UnacknowledgedError)} {
		if errors.As(err, target) {
			return true
		}
	}
	return errors.Is(err, ErrRetired) || errors.Is(err, ErrRequest)
}

// check fails for a Spend that cannot be reserved, before the database sees it.
func (s *Spend) check() error {
	if err := s.Params.CheckFields(); err != nil {
		return err
	}
	if s.Count == 0 {
		return fmt.Errorf("%w: 0", pm.ErrTicketCount)
	}
	if r := s.Request; r != nil {
		return cmp.Or(checkKept("request ID", r.ID), checkKept("digest of the request", r.Digest), checkKept("record of the request", string(r.Record)))
	}
	return nil
}

// reserveOne takes a Spend's nonces, or leaves no trace of it.
func (c *Chain) reserveOne(tx *db.Tx, books *books, s Spend) (*Made, error) {
	if err := s.check(); err != nil {
		return nil, refused{err}
	}
	tx.Later(db.Do(`SAVEPOINT spend`))
	made, err := c.reserve(tx, books, s)
	if err != nil {
		if undoErr := tx.Exec(`ROLLBACK TO SAVEPOINT spend`); undoErr != nil {
			return nil, undoErr
		}
	}
	tx.Later(db.Do(`RELEASE SAVEPOINT spend`))
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
	nonces, err := takeNonces(tx, hash, s.Count, s.Cap, books.read(s.Sender, at)...)
	if err != nil {
		return nil, err
	}
	page, ev := books.page(s.Sender, at), s.Params.EV()
	asked := policy.Cost(uint64(s.Count), ev, s.Params.FaceValue)
	if s.Allow != nil {
		all := asked.Plus(policy.Cost(s.Ahead, ev, s.Params.FaceValue))
		if err := s.Allow(s.Params.Recipient, all, page.spent); err != nil {
			return nil, refused{err}
		}
	}
	tx.Later(db.Do(insertReservation, c.reservationRow(s.Sender, s.Params, ev, nonces, at, "")...))
	if s.Request != nil {
		c.addToRequest(tx, s.Sender, s.Request, before, Record{RecipientRandHash: hash, Nonces: nonces}, at)
	}
	page.add(s.Params.Recipient, asked)
	return &Made{Nonces: nonces}, nil
}

// reservationRow is an entry of the ledger; client is the ID of the client that the tickets
// belong to, if any.
func (c *Chain) reservationRow(sender common.Address, params *pm.TicketParams, ev *big.Rat, nonces pm.NonceRange, at time.Time, client string) []any {
	return []any{
		params.RecipientRandHash.Hex(), nonces.First, nonces.Count, c.id, sender.Hex(), params.Recipient.Hex(),
		decimal(params.FaceValue), ev.RatString(), decimal(params.ExpirationBlock), at.UnixMilli(), client,
	}
}
