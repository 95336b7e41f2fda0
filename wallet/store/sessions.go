package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
)

// Chain is the store as it serves the sessions of one chain.
type Chain struct {
	store *Store
	id    string
}

var _ pm.NonceStore = (*Chain)(nil)

// Chain returns the store for the sessions of a chain, by its EIP-155 chain id.
func (s *Store) Chain(id uint64) *Chain {
	return &Chain{store: s, id: strconv.FormatUint(id, 10)}
}

// ReserveNonces takes the next count nonces of the session that
// params.RecipientRandHash names; a session's first nonce is 1. When it returns the
// reservation is on disk together with a row of the ledger, and no call in any
// process gets one of these nonces again.
//
// It fails with *pm.NonceCapError when limit, unless it is 0, or the width of a
// nonce leaves fewer than count; with pm.ErrTicketCount for a count of 0; with
// *pm.FieldError for params that do not fit; with ErrBusy, ErrAccess or ErrDamaged;
// and with ctx's error. Nonces are then either not taken or lost, never handed out.
func (c *Chain) ReserveNonces(ctx context.Context, sender common.Address, params *pm.TicketParams, count, limit uint32) (pm.NonceRange, error) {
	if err := params.CheckFields(); err != nil {
		return pm.NonceRange{}, err
	}
	if count == 0 {
		return pm.NonceRange{}, fmt.Errorf("%w: 0", pm.ErrTicketCount)
	}
	hash := params.RecipientRandHash
	var nonces pm.NonceRange
	err := c.store.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, insertSession, hash.Hex()); err != nil {
			return err
		}
		used, err := usedNonces(ctx, tx, hash)
		if err != nil {
			return err
		}
		if nonces, err = pm.NextNonces(hash, used, count, limit); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, advanceUsed, int64(used)+int64(count), hash.Hex(), used)
		if err != nil {
			return err
		}
		if changed, err := result.RowsAffected(); err != nil || changed != 1 {
			return fmt.Errorf("session %v: %d rows advanced instead of 1: %w", hash, changed, errors.Join(ErrDamaged, err))
		}
		_, err = tx.ExecContext(ctx, insertReservation,
			hash.Hex(), nonces.First, nonces.Count, c.id, sender.Hex(), params.Recipient.Hex(),
			decimal(params.FaceValue), params.EV().RatString(), decimal(params.ExpirationBlock), time.Now().UnixMilli())
		return err
	})
	if err != nil {
		return pm.NonceRange{}, fmt.Errorf("reserve %d nonces: %w", count, err)
	}
	return nonces, nil
}

// UsedNonces returns how many nonces of a session, counted from 1, are taken.
func (c *Chain) UsedNonces(ctx context.Context, recipientRandHash common.Hash) (used uint32, err error) {
	err = c.store.read(ctx, func(tx *sql.Tx) error {
		used, err = usedNonces(ctx, tx, recipientRandHash)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read session %v: %w", recipientRandHash, err)
	}
	return used, nil
}

func usedNonces(ctx context.Context, tx *sql.Tx, hash common.Hash) (used uint32, err error) {
	err = tx.QueryRowContext(ctx, selectUsed, hash.Hex()).Scan(&used)
	return used, err
}

// decimal writes a number that may be nil, which counts as 0.
func decimal(v *big.Int) string {
	if v == nil {
		return "0"
	}
	return v.String()
}
