package pm

import (
	"errors"
	"fmt"
	"math/big"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
)

// replayGuard remembers the nonces seen for each recipientRandHash until its params expire: at
// most 600 for each set of params of the last 40 blocks.
type replayGuard struct {
	mu   sync.Mutex
	seen map[common.Hash]*seenNonces
	// horizon is the highest expiration block of forgotten params. If the chain goes back below
	// it, those params still count as expired.
	horizon *big.Int
	// sweptAt is the block of the last sweep.
	sweptAt *big.Int
}

// seenNonces are the nonces seen for one recipientRandHash.
type seenNonces struct {
	nonces     map[uint32]struct{}
	expiration *big.Int
}

func newReplayGuard() *replayGuard {
	return &replayGuard{seen: make(map[common.Hash]*seenNonces), horizon: new(big.Int), sweptAt: new(big.Int)}
}

// take records a valid ticket's nonce. It fails with ErrTicketParamsExpired, ErrNonceReplayed
// or ErrTooManyNonces and then records nothing.
func (g *replayGuard) take(ticket *Ticket, lastBlock *big.Int) error {
	if lastBlock == nil {
		return errors.New("the last L1 block is not known")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep(lastBlock)

	expiration := num.OrZero(ticket.ParamsExpirationBlock)
	if expiration.Cmp(lastBlock) <= 0 || expiration.Cmp(g.horizon) <= 0 {
		return ErrTicketParamsExpired // unwrapped: senders on the network match its text
	}
	seen := g.seen[ticket.RecipientRandHash]
	if seen == nil {
		seen = &seenNonces{make(map[uint32]struct{}), copyInt(expiration)}
		g.seen[ticket.RecipientRandHash] = seen
	}
	if _, replayed := seen.nonces[ticket.SenderNonce]; replayed {
		return fmt.Errorf("%w: %d", ErrNonceReplayed, ticket.SenderNonce)
	}
	if len(seen.nonces) >= maxSenderNonces {
		return fmt.Errorf("%w: %d were seen, at most %d are accepted; fetch fresh ticket params", ErrTooManyNonces, len(seen.nonces), maxSenderNonces)
	}
	seen.nonces[ticket.SenderNonce] = struct{}{}
	return nil
}

// forget drops params that have expired at lastBlock.
func (g *replayGuard) forget(lastBlock *big.Int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep(lastBlock)
}

// sweep is forget with g.mu held. It runs once per block, and shrinks the map by replacing it:
// Go's maps never shrink.
func (g *replayGuard) sweep(lastBlock *big.Int) {
	if g.sweptAt.Cmp(lastBlock) == 0 {
		return
	}
	g.sweptAt.Set(lastBlock)
	kept := make(map[common.Hash]*seenNonces)
	for hash, seen := range g.seen {
		switch {
		case seen.expiration.Cmp(lastBlock) > 0:
			kept[hash] = seen
		case seen.expiration.Cmp(g.horizon) > 0:
			g.horizon.Set(seen.expiration)
		}
	}
	g.seen = kept
}
