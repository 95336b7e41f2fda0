package devnet

import (
	"context"
	"crypto/ecdsa"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

// Status is where the network stands.
type Status struct {
	// Block is the latest block's number on this chain, L1Block the number that
	// rounds and expirations count.
	Block   uint64 `json:"block"`
	L1Block uint64 `json:"l1_block"`

	// Round is the latest block's; it may be ahead of LastInitializedRound.
	Round                uint64 `json:"round"`
	LastInitializedRound uint64 `json:"last_initialized_round"`

	// RoundLength is in L1 blocks, UnlockPeriod in rounds.
	RoundLength  uint64 `json:"round_length"`
	UnlockPeriod uint64 `json:"unlock_period"`

	Automine bool `json:"automine"`
	Paused   bool `json:"paused"`
}

// Status asks the chain and the contracts where they stand.
func (d *Devnet) Status(ctx context.Context) (Status, error) {
	d.miner.mu.Lock()
	defer d.miner.mu.Unlock()
	paused, err := read[bool](ctx, d.system, contracts.Controller, "paused")
	if err != nil {
		return Status{}, err
	}
	initialized, err := d.miner.lastInitialized(ctx)
	if err != nil {
		return Status{}, err
	}
	head := d.node.head()
	return Status{
		Block:                head,
		L1Block:              head + d.cfg.l1Offset(),
		Round:                d.miner.round(head),
		LastInitializedRound: initialized,
		RoundLength:          d.cfg.RoundLength,
		UnlockPeriod:         d.cfg.UnlockPeriod,
		Automine:             d.miner.automine,
		Paused:               paused,
	}, nil
}

// Mine seals blocks. It stops early, with an error, when ctx ends.
func (d *Devnet) Mine(ctx context.Context, blocks uint64) error {
	return d.miner.mine(ctx, blocks)
}

// NextRound mines into the first block of the next round and initializes it, count
// times over. It fails with ErrPaused while the system is paused.
func (d *Devnet) NextRound(ctx context.Context, count uint64) error {
	for range count {
		if err := d.miner.nextRound(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Reorg replaces the last blocks of the chain, as many as depth says, by others and one
// more, as when nodes agree on another fork: for a moment the chain is shorter, then
// longer than before. Transactions of the replaced blocks, and those that wait in the
// pool, are gone as if they had never been sent. Rounds that began in the replaced
// blocks are initialized anew, with another block hash, unless SetKeepRounds says not
// to. It fails, and changes nothing, when depth is 0 or would undo the contracts.
func (d *Devnet) Reorg(ctx context.Context, depth uint64) error { return d.miner.reorg(ctx, depth) }

// SetAutomine switches mining on demand. Switched off, transactions wait for Mine or
// for the block time.
func (d *Devnet) SetAutomine(ctx context.Context, on bool) error {
	return d.miner.setAutomine(ctx, on)
}

// SetKeepRounds switches whether the network initializes rounds by itself.
func (d *Devnet) SetKeepRounds(on bool) { d.miner.setKeepRounds(on) }

// SetPaused pauses the system or lets it go on. It does nothing when that is how it
// is. Like all that the owner does, it mines a block.
func (d *Devnet) SetPaused(ctx context.Context, on bool) error {
	paused, err := read[bool](ctx, d.system, contracts.Controller, "paused")
	if err != nil || paused == on {
		return err
	}
	if on {
		return d.own(ctx, contracts.Controller, "pause")
	}
	if err := d.own(ctx, contracts.Controller, "unpause"); err != nil {
		return err
	}
	return d.miner.catchUp(ctx)
}

// Register puts a contract into the controller under a name; the zero address takes
// the name out. The network itself goes on with the contracts that it deployed.
func (d *Devnet) Register(ctx context.Context, name string, address common.Address) error {
	return d.own(ctx, contracts.Controller, "setContractInfo", contractID(name), address, [20]byte{})
}

// AddTranscoder registers a recipient and puts it into the active pool.
func (d *Devnet) AddTranscoder(ctx context.Context, transcoder common.Address) error {
	return d.own(ctx, contracts.BondingManager, "addTranscoder", transcoder)
}

// DeactivateTranscoder takes a recipient out of the active pool: deposits still pay
// it, reserves do not.
func (d *Devnet) DeactivateTranscoder(ctx context.Context, transcoder common.Address) error {
	return d.own(ctx, contracts.BondingManager, "deactivateTranscoder", transcoder)
}

// RemoveTranscoder takes a recipient out of the pool and out of the register:
// nothing pays it.
func (d *Devnet) RemoveTranscoder(ctx context.Context, transcoder common.Address) error {
	return d.own(ctx, contracts.BondingManager, "removeTranscoder", transcoder)
}

// SetServiceURI makes a key's address known to be reached at uri.
func (d *Devnet) SetServiceURI(ctx context.Context, key *ecdsa.PrivateKey, uri string) error {
	return d.miner.execute(ctx, func() (*types.Transaction, error) {
		return d.system.sendAs(key, contracts.ServiceRegistry, "setServiceURI", uri)
	})
}

// SetAIServiceURI makes a key's address known to be reached at uri for AI work.
func (d *Devnet) SetAIServiceURI(ctx context.Context, key *ecdsa.PrivateKey, uri string) error {
	return d.miner.execute(ctx, func() (*types.Transaction, error) {
		return d.system.sendAs(key, aiServiceRegistry, "setServiceURI", uri)
	})
}

// announce makes a key's address known to be reached at uri for every work, in one block.
func (d *Devnet) announce(ctx context.Context, key *ecdsa.PrivateKey, uri string) error {
	return d.miner.execute(ctx, func() (*types.Transaction, error) {
		if _, err := d.system.sendAs(key, aiServiceRegistry, "setServiceURI", uri); err != nil {
			return nil, err
		}
		return d.system.sendAs(key, contracts.ServiceRegistry, "setServiceURI", uri)
	})
}

// own mines a transaction of the contracts' owner.
func (d *Devnet) own(ctx context.Context, contract, method string, args ...any) error {
	err := d.miner.execute(ctx, func() (*types.Transaction, error) {
		return d.system.send(contract, method, args...)
	})
	if err != nil {
		return fmt.Errorf("%s.%s: %w", contract, method, err)
	}
	return nil
}
