package store

import (
	"strconv"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
)

// Chain is the store as it serves the sessions of one chain.
type Chain struct {
	store *Store
	id    string

	// storeID is the id that the store must have for nonces to be taken; "" for any.
	storeID string
}

var (
	_ pm.NonceStore = (*Chain)(nil)
	_ chain.Pins    = (*Chain)(nil)
)

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
