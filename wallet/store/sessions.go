package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"strconv"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
)

// Chain is the store as it serves the sessions of one chain.
type Chain struct {
	store *Store
	id    string

	// storeID is the id that the store must have for nonces to be taken; "" for any.
	storeID string
}

var _ pm.NonceStore = (*Chain)(nil)

// Chain returns the store for the sessions of a chain, by its EIP-155 chain id.
func (s *Store) Chain(id uint64) *Chain {
	return &Chain{store: s, id: strconv.FormatUint(id, 10)}
}

// In returns the chain for params that the store with an id has fetched: once the store is
// found restored, and has another id, no nonces are taken for them. Reserve fails with
// *RestoredError then.
func (c *Chain) In(storeID string) *Chain {
	in := *c
	in.storeID = storeID
	return &in
}

// ReserveNonces is Reserve without a budget or a request. It implements pm.NonceStore.
func (c *Chain) ReserveNonces(ctx context.Context, sender common.Address, params *pm.TicketParams, count, limit uint32) (pm.NonceRange, error) {
	made, err := c.Reserve(ctx, Spend{Sender: sender, Params: params, Count: count, Cap: limit})
	if err != nil {
		return pm.NonceRange{}, err
	}
	return made.Nonces, nil
}

// UsedNonces returns how many nonces of a session, counted from 1, are taken. It fails
// with *RetiredError for a session that is over.
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

// decimal writes a number that may be nil, which counts as 0.
func decimal(v *big.Int) string {
	if v == nil {
		return "0"
	}
	return v.String()
}
