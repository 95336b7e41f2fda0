package devnet

import (
	"context"
	"crypto/ecdsa"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

// Status is the network's state.
type Status struct {
	// Block is the latest block's number on this chain, L1Block the number by which rounds and
	// expirations count.
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

// Status reads the state from the chain and the contracts.
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

// Mine seals blocks. It stops early, with an error, if ctx ends.
func (d *Devnet) Mine(ctx context.Context, blocks uint64) error {
	return d.miner.mine(ctx, blocks)
}

// NextRound mines into the first block of the next round and initializes it, count times. It
// fails with ErrPaused while the system is paused.
func (d *Devnet) NextRound(ctx context.Context, count uint64) error {
	for range count {
		if err := d.miner.nextRound(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Reorg replaces the last depth blocks of the chain by others and one more, as if nodes agreed
// on another fork: the chain is briefly shorter, then longer than before. Transactions of the
// replaced blocks and of the pool are dropped. Rounds that began in the replaced blocks are
// initialized again, with another block hash, unless SetKeepRounds is off. It fails, and
// changes nothing, if depth is 0 or would undo the contracts.
func (d *Devnet) Reorg(ctx context.Context, depth uint64) error { return d.miner.reorg(ctx, depth) }

// SetAutomine switches mining on demand. While it is off, transactions wait for Mine or for the
// block time.
func (d *Devnet) SetAutomine(ctx context.Context, on bool) error {
	return d.miner.setAutomine(ctx, on)
}

// SetKeepRounds switches the automatic initialization of rounds.
func (d *Devnet) SetKeepRounds(on bool) { d.miner.setKeepRounds(on) }

// SetPaused pauses or unpauses the system. It does nothing if that is its state. Like all
// actions of the owner, it mines a block.
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

// Register sets a contract in the controller under a name; the zero address removes the name.
// The network itself keeps using the contracts that it deployed.
func (d *Devnet) Register(ctx context.Context, name string, address common.Address) error {
	return d.own(ctx, contracts.Controller, "setContractInfo", contractID(name), address, [20]byte{})
}

// AddTranscoder registers a recipient and adds it to the active pool.
func (d *Devnet) AddTranscoder(ctx context.Context, transcoder common.Address) error {
	return d.own(ctx, contracts.BondingManager, "addTranscoder", transcoder)
}

// DeactivateTranscoder removes a recipient from the active pool: deposits still pay it,
// reserves do not.
func (d *Devnet) DeactivateTranscoder(ctx context.Context, transcoder common.Address) error {
	return d.own(ctx, contracts.BondingManager, "deactivateTranscoder", transcoder)
}

// RemoveTranscoder removes a recipient from the pool and from the register: nothing pays it.
func (d *Devnet) RemoveTranscoder(ctx context.Context, transcoder common.Address) error {
	return d.own(ctx, contracts.BondingManager, "removeTranscoder", transcoder)
}

// SetServiceURI registers uri as the service URI of a key's address.
func (d *Devnet) SetServiceURI(ctx context.Context, key *ecdsa.PrivateKey, uri string) error {
	return d.miner.execute(ctx, func() (*types.Transaction, error) {
		return d.system.sendAs(key, contracts.ServiceRegistry, "setServiceURI", uri)
	})
}

// SetAIServiceURI registers uri as the AI service URI of a key's address.
func (d *Devnet) SetAIServiceURI(ctx context.Context, key *ecdsa.PrivateKey, uri string) error {
	return d.miner.execute(ctx, func() (*types.Transaction, error) {
		return d.system.sendAs(key, aiServiceRegistry, "setServiceURI", uri)
	})
}

// announce registers uri as both service URIs of a key's address, in one block.
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
