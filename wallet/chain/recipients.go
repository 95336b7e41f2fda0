package chain

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/contract"
)

// Recipient is what the contracts say of a recipient.
type Recipient struct {
	Address common.Address

	// Active tells whether it is in the pool whose members may claim of reserves.
	Active bool

	// ServiceURI is where it says that it can be reached: its own text, as it wrote it,
	// "" when it has not said so.
	ServiceURI string

	// AIServiceURI is what it has written in the registry for AI work, "" also on a network
	// without such a registry.
	AIServiceURI string
}

// maxPool is more than any pool has: the deployed one has 100 places.
const maxPool = 10_000

// ErrPoolChanged is returned when the pool was another one at the end of reading it
// than at the beginning.
var ErrPoolChanged = errors.New("the pool of active recipients changed while it was read: try again")

// Recipient reads what the contracts say of one recipient.
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

// Recipients reads the active pool in the contract's order, which is by stake, most
// first. The pool is a list whose entries name the next one: each is one request,
// together with its service URIs. It fails with ErrPoolChanged.
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
		return nil, fmt.Errorf("the node says that the pool has %v recipients; more than %d cannot be", size, maxPool)
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

// serviceURIs asks for a recipient's entries in the registries.
func (c *Client) serviceURIs(b *batch, contracts Contracts, of *Recipient) {
	registry := contract.NewServiceRegistry()
	call(b, contracts.ServiceRegistry, registry.PackGetServiceURI(of.Address), registry.UnpackGetServiceURI, &of.ServiceURI)
	if ai := c.network.AIServiceRegistry; ai != (common.Address{}) {
		call(b, ai, registry.PackGetServiceURI(of.Address), registry.UnpackGetServiceURI, &of.AIServiceURI)
	}
}
