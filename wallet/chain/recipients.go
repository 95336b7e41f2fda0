package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/contract"
)

// Recipient is a recipient's data in the contracts.
type Recipient struct {
	Address common.Address

	// Active is set if it is in the pool whose members may claim from reserves.
	Active bool

	// ServiceURI is the URL that it has registered, exactly as written; "" if there is none.
	ServiceURI string

	// AIServiceURI is its URL in the registry for AI work; "" if there is none, or no such
	// registry.
	AIServiceURI string
}

// maxPool is more than any pool: the deployed one has 100 places.
const maxPool = 10_000

// ErrPoolChanged is returned if the pool changed while it was read.
var ErrPoolChanged = errors.New("the pool of active recipients changed while it was read: try again")

// Recipient reads one recipient's data.
func (c *Client) Recipient(ctx context.Context, address common.Address) (Recipient, error) {
	contracts, err := c.Contracts(ctx)
	if err != nil {
		return Recipient{}, err
	}
	found := Recipient{Address: address}
	bonding := contract.NewBondingManager()
	b := new(batch)
	call(b, contracts.BondingManager, bonding.PackIsActiveTranscoder(address), bonding.UnpackIsActiveTranscoder, &found.Active)
	c.serviceURIs(b, contracts, &found)
	return found, c.Do(ctx, &b.Batch)
}

// Recipients reads the active pool in the contract's order, the largest stake first. The pool
// is a linked list: each entry is one request, together with its service URIs. It fails with
// ErrPoolChanged.
func (c *Client) Recipients(ctx context.Context) ([]Recipient, error) {
	contracts, err := c.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	bonding := contract.NewBondingManager()
	var size *big.Int
	var next common.Address
	b := new(batch)
	call(b, contracts.BondingManager, bonding.PackGetTranscoderPoolSize(), bonding.UnpackGetTranscoderPoolSize, &size)
	call(b, contracts.BondingManager, bonding.PackGetFirstTranscoderInPool(), bonding.UnpackGetFirstTranscoderInPool, &next)
	if err := c.Do(ctx, &b.Batch); err != nil {
		return nil, err
	}
	if size.Cmp(big.NewInt(maxPool)) > 0 {
		return nil, fmt.Errorf("the node reports a pool of %v recipients; at most %d are possible", size, maxPool)
	}
	pool := make([]Recipient, 0, size.Int64())
	for next != (common.Address{}) {
		if len(pool) == cap(pool) {
			return nil, ErrPoolChanged
		}
		entry := Recipient{Address: next, Active: true}
		b := new(batch)
		c.serviceURIs(b, contracts, &entry)
		call(b, contracts.BondingManager, bonding.PackGetNextTranscoderInPool(entry.Address), bonding.UnpackGetNextTranscoderInPool, &next)
		if err := c.Do(ctx, &b.Batch); err != nil {
			return nil, err
		}
		pool = append(pool, entry)
	}
	if len(pool) != cap(pool) {
		return nil, ErrPoolChanged
	}
	return pool, nil
}

// serviceURIs reads a recipient's entries in the registries.
func (c *Client) serviceURIs(b *batch, contracts Contracts, of *Recipient) {
	registry := contract.NewServiceRegistry()
	call(b, contracts.ServiceRegistry, registry.PackGetServiceURI(of.Address), registry.UnpackGetServiceURI, &of.ServiceURI)
	if ai := c.network.AIServiceRegistry; ai != (common.Address{}) {
		call(b, ai, registry.PackGetServiceURI(of.Address), registry.UnpackGetServiceURI, &of.AIServiceURI)
	}
}
