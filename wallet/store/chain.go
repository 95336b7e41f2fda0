package store

import (
	"strconv"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
)

// Chain is the part of the store that belongs to one chain.
type Chain struct {
	store *Store
	id    string
	// storeID is the ID that the store must have before nonces are taken; "" accepts any.
	storeID string
}

var (
	_ pm.NonceStore = (*Chain)(nil)
	_ chain.Pins    = (*Chain)(nil)
)

// Chain returns the store's part for a chain, by its EIP-155 chain ID.
func (s *Store) Chain(id uint64) *Chain {
	return &Chain{store: s, id: strconv.FormatUint(id, 10)}
}

// In returns the chain for ticket params that were fetched under a store ID. A restored store
// gets another ID, and Reserve then fails with *RestoredError.
func (c *Chain) In(storeID string) *Chain {
	in := *c
	in.storeID = storeID
	return &in
}
