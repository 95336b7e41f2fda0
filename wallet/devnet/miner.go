package devnet

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

// ErrPaused is returned for a round that cannot be initialized because the system
// is paused.
var ErrPaused = errors.New("the system is paused: no round can be initialized")

// miner decides when blocks are sealed, and initializes rounds. One block is sealed at a time.
type miner struct {
	node   *fullNode
	system *system

	firstBlock  uint64 // of round 1; a number of this chain
	deployed    uint64 // the block after the deployment of all contracts
	roundLength uint64

	mu          sync.Mutex
	automine    bool
	keepRounds  bool
	initialized uint64 // the last round known to be initialized
}

// round is the round of a block of this chain.
func (m *miner) round(block uint64) uint64 {
	return 1 + (block-m.firstBlock)/m.roundLength
}

// onDemand mines the pool, if blocks are mined on demand. A transaction that another caller's
// block has included needs no block of its own.
func (m *miner) onDemand(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.automine {
		return nil
	}
	pending, err := m.node.pending()
	if err != nil || pending == 0 {
		return err
	}
	return m.next(ctx, m.keepRounds)
}

// setAutomine switches mining on demand. When it is switched on, it first mines pending
// transactions.
func (m *miner) setAutomine(ctx context.Context, on bool) error {
	m.mu.Lock()
	m.automine = on
	m.mu.Unlock()
	return m.onDemand(ctx)
}

func (m *miner) setKeepRounds(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keepRounds = on
}

// mine seals blocks, stopping early with ctx.
func (m *miner) mine(ctx context.Context, blocks uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mineLocked(ctx, blocks, m.keepRounds)
}

func (m *miner) mineLocked(ctx context.Context, blocks uint64, keepRounds bool) error {
	for range blocks {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.next(ctx, keepRounds); err != nil {
			return err
		}
	}
	return nil
}

// nextRound mines up to the first block of the next round, in which that round is
// initialized.
func (m *miner) nextRound(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	paused, err := read[bool](ctx, m.system, contracts.Controller, "paused")
	if err != nil {
		return err
	}
	if paused {
		return ErrPaused
	}
	into := (m.node.head() - m.firstBlock) % m.roundLength
	if err := m.mineLocked(ctx, m.roundLength-into-1, m.keepRounds); err != nil {
		return err
	}
	if err := m.next(ctx, true); err != nil {
		return err
	}
	if round := m.round(m.node.head()); m.initialized != round {
		return fmt.Errorf("round %d was not initialized", round)
	}
	return nil
}

// catchUp initializes a round that could not be initialized in its first block.
func (m *miner) catchUp(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.keepRounds || m.initialized >= m.round(m.node.head()) {
		return nil
	}
	return m.next(ctx, true)
}

// next seals a block. Its first transaction initializes the round that it begins, so that no
// client sees an uninitialized round.
func (m *miner) next(ctx context.Context, initialize bool) error {
	round := m.round(m.node.head() + 1)
	due := initialize && m.initialized < round
	if due {
		var err error
		if due, err = m.initialize(ctx, round); err != nil {
			return err
		}
	}
	if err := m.node.seal(); err != nil {
		return err
	}
	if !due {
		return nil
	}
	last, err := m.lastInitialized(ctx)
	m.initialized = last
	return err
}

// initialize requests the initialization of a round in the next block. It returns false if the
// round is initialized already, or the system is paused.
func (m *miner) initialize(ctx context.Context, round uint64) (bool, error) {
	paused, err := read[bool](ctx, m.system, contracts.Controller, "paused")
	if err != nil || paused {
		return false, err
	}
	if m.initialized, err = m.lastInitialized(ctx); err != nil || m.initialized >= round {
		return false, err
	}
	_, err = m.system.send(contracts.RoundsManager, "initializeRound")
	return err == nil, err
}

func (m *miner) lastInitialized(ctx context.Context) (uint64, error) {
	round, err := read[*big.Int](ctx, m.system, contracts.RoundsManager, "lastInitializedRound")
	if err != nil {
		return 0, err
	}
	return round.Uint64(), nil
}

// reorg replaces the last blocks by as many others and one more. Their transactions, and those
// in the pool, are dropped.
func (m *miner) reorg(ctx context.Context, depth uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	head := m.node.head()
	if most := head - m.deployed; depth == 0 || depth > most {
		return fmt.Errorf("%w: %d blocks cannot be replaced: the last %d can", errBadRequest, depth, most)
	}
	if err := m.node.rewind(head - depth); err != nil {
		return err
	}
	var err error
	if m.initialized, err = m.lastInitialized(ctx); err != nil {
		return err
	}
	return m.mineLocked(ctx, depth+1, m.keepRounds)
}

// execute mines a block with the transaction that send puts into the pool, and fails if the
// transaction does.
func (m *miner) execute(ctx context.Context, send func() (*types.Transaction, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	tx, err := send()
	if err != nil {
		return err
	}
	if err := m.next(ctx, m.keepRounds); err != nil {
		return err
	}
	return m.system.succeeded(ctx, tx)
}

// every mines a block each period until ctx ends. A block that cannot be sealed is retried at
// the next tick.
func (m *miner) every(ctx context.Context, period time.Duration) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_ = m.mine(ctx, 1)
		}
	}
}
