// Package devnet is a local network to try payments on: a whole Ethereum node in this process,
// our own contracts with the deployed network's ABI, funded accounts, and recipients that speak
// the real wire protocol and redeem winning tickets.
//
// Start starts all of it on free ports of 127.0.0.1, Close stops it and leaves nothing behind.
// Blocks are mined on demand, and rounds are initialized in their first block.
//
// Nothing here is fit for real money: the keys are not secret.
package devnet

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"os"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet/contracts"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Account is a funded account of the network.
type Account struct {
	Address common.Address
	Key     *ecdsa.PrivateKey
}

// Devnet is a running local network. Its methods may be called from any goroutine.
type Devnet struct {
	cfg        Config
	node       *fullNode
	system     *system
	miner      *miner
	control    *control
	accounts   []Account
	recipients []Recipient

	stop    context.CancelFunc // stops the block timer
	timer   sync.WaitGroup
	closing sync.Once
	closed  error
}

// Start starts a network. ctx limits the start only: end the network with Close. It fails with
// ErrRunning if the state file belongs to another running network.
func Start(ctx context.Context, cfg Config) (*Devnet, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if cfg.StatePath != "" {
		if err := clearStale(cfg.StatePath); err != nil {
			return nil, err
		}
	}
	d := &Devnet{cfg: cfg, stop: func() {}}
	if err := d.start(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *Devnet) start(ctx context.Context) error {
	recipientKeys, err := d.startChain(ctx)
	if err != nil {
		return err
	}
	if d.control, err = startControl(d, d.cfg.ControlPort); err != nil {
		return err
	}
	for i, key := range recipientKeys {
		if err := d.startRecipient(ctx, i, key); err != nil {
			return fmt.Errorf("recipient %d: %w", i, err)
		}
	}
	if d.cfg.BlockTime > 0 {
		var timed context.Context
		timed, d.stop = context.WithCancel(context.Background())
		d.timer.Go(func() { d.miner.every(timed, d.cfg.BlockTime) })
	}
	if d.cfg.StatePath != "" {
		return writeState(d.cfg.StatePath, d.State())
	}
	return nil
}

// startChain starts the node and the contracts. It returns the keys of the recipients, whose
// accounts are funded and in the pool.
func (d *Devnet) startChain(ctx context.Context) (recipientKeys []*ecdsa.PrivateKey, err error) {
	ownerKeys, err := d.cfg.keys("owner", 1)
	if err != nil {
		return nil, err
	}
	accountKeys, err := d.cfg.keys("account", d.cfg.Accounts)
	if err != nil {
		return nil, err
	}
	if recipientKeys, err = d.cfg.keys("recipient", d.cfg.Recipients); err != nil {
		return nil, err
	}
	alloc := make(types.GenesisAlloc)
	fund := func(keys []*ecdsa.PrivateKey) (addresses []common.Address) {
		for _, key := range keys {
			address := crypto.PubkeyToAddress(key.PublicKey)
			alloc[address] = types.Account{Balance: d.cfg.Balance.Big()}
			addresses = append(addresses, address)
		}
		return addresses
	}
	owner := fund(ownerKeys)[0]
	// However small the accounts' balance is, the owner can pay for its transactions.
	alloc[owner] = types.Account{Balance: new(big.Int).Lsh(common.Big1, 128)}
	for i, address := range fund(accountKeys) {
		d.accounts = append(d.accounts, Account{Address: address, Key: accountKeys[i]})
	}
	transcoders := fund(recipientKeys)

	d.node, err = newFullNode(nodeConfig{chainID: d.cfg.chainID(), port: d.cfg.Port, alloc: alloc, coinbase: owner})
	if err != nil {
		return nil, err
	}
	if d.system, err = newSystem(d.node, d.cfg.chainID(), ownerKeys[0]); err != nil {
		return nil, err
	}
	d.miner = &miner{
		node:        d.node,
		system:      d.system,
		firstBlock:  1,
		roundLength: d.cfg.RoundLength,
		automine:    d.cfg.BlockTime == 0,
		keepRounds:  !d.cfg.ManualRounds,
		initialized: 1,
	}
	// The node derives the price from tips of senders other than the coinbase.
	if err := d.node.start(owner, d.overrides); err != nil {
		return nil, err
	}
	err = d.system.deploy(ctx, d.cfg, d.cfg.l1Offset(), transcoders)
	d.miner.deployed = d.node.head()
	return recipientKeys, err
}

// overrides are the methods that replace those of the node's own eth API.
func (d *Devnet) overrides(system *filters.FilterSystem) (any, error) {
	own := d.node.eth.APIs()
	sender, err := ownAPI[txSender](own)
	if err != nil {
		return nil, err
	}
	send := &sendAPI{sender: sender, mined: func() error { return d.miner.onDemand(context.Background()) }}
	if !d.cfg.Arbitrum {
		return send, nil
	}
	blocks, err := ownAPI[blockReader](own)
	if err != nil {
		return nil, err
	}
	l1, err := d.cfg.L1Numbers.encoder(d.cfg.l1Offset())
	if err != nil {
		return nil, err
	}
	return &arbitrumAPI{sendAPI: send, blocks: blocks, events: filters.NewEventSystem(system), l1: l1}, nil
}

func (d *Devnet) startRecipient(ctx context.Context, index int, key *ecdsa.PrivateKey) error {
	recipient, err := d.cfg.StartRecipient(ctx, RecipientEnv{
		Index:      index,
		Key:        key,
		RPCURL:     d.RPCURL(),
		WSURL:      d.WSURL(),
		ChainID:    d.ChainID(),
		Controller: d.Controller(),
		Contracts:  d.Contracts(),
		Handle:     d.Handle,
	})
	if err != nil {
		return err
	}
	d.recipients = append(d.recipients, recipient)
	return d.announce(ctx, key, recipient.State().URL)
}

// Close ends the network with everything in it, and removes its state file. Further calls
// return the same error.
func (d *Devnet) Close() error {
	d.closing.Do(func() {
		d.stop()
		d.timer.Wait()
		if d.cfg.StatePath != "" && d.node != nil {
			d.closed = errors.Join(d.closed, removeState(d.cfg.StatePath, os.Getpid(), d.RPCURL()))
		}
		for _, recipient := range d.recipients {
			d.closed = errors.Join(d.closed, recipient.Close())
		}
		if d.control != nil {
			d.closed = errors.Join(d.closed, d.control.close())
		}
		if d.node != nil {
			d.closed = errors.Join(d.closed, d.node.close())
		}
	})
	return d.closed
}

// RPCURL serves JSON-RPC over HTTP.
func (d *Devnet) RPCURL() string { return d.node.stack.HTTPEndpoint() }

// WSURL serves JSON-RPC over WebSocket.
func (d *Devnet) WSURL() string { return d.node.stack.WSEndpoint() }

// ControlURL serves the control API.
func (d *Devnet) ControlURL() string { return d.control.url }

// ChainID is ChainID or ArbitrumChainID.
func (d *Devnet) ChainID() *big.Int { return new(big.Int).Set(d.system.chainID) }

// Controller is the registry contract.
func (d *Devnet) Controller() common.Address { return d.system.addresses[contracts.Controller] }

// Contracts are the registered contracts, the controller and the AI service registry, by
// name.
func (d *Devnet) Contracts() map[string]common.Address { return maps.Clone(d.system.addresses) }

// Accounts are the funded accounts.
func (d *Devnet) Accounts() []Account { return append([]Account(nil), d.accounts...) }

// Balance is each account's initial balance.
func (d *Devnet) Balance() wei.Wei { return d.cfg.Balance }

// Recipients are the running recipients.
func (d *Devnet) Recipients() []Recipient { return append([]Recipient(nil), d.recipients...) }

// Client talks to the node in this process. It belongs to the network: do not close it.
// Transactions sent through it are mined like all others.
func (d *Devnet) Client() *ethclient.Client { return d.node.client }

// Handle adds a route to the control API. It panics if the pattern is taken, as http.ServeMux
// does.
func (d *Devnet) Handle(pattern string, handler http.Handler) { d.control.mux.Handle(pattern, handler) }

// State is the content of the state file.
func (d *Devnet) State() chain.DevnetState {
	state := chain.DevnetState{
		PID:        os.Getpid(),
		ChainID:    d.cfg.chainID(),
		Arbitrum:   d.cfg.Arbitrum,
		RPCURL:     d.RPCURL(),
		WSURL:      d.WSURL(),
		ControlURL: d.ControlURL(),
		Controller: d.Controller(),
		Contracts:  d.Contracts(),
		Accounts:   []chain.DevnetAccount{},
		Recipients: []chain.DevnetRecipient{},
	}
	for _, account := range d.accounts {
		state.Accounts = append(state.Accounts, chain.DevnetAccount{
			Address:    account.Address,
			PrivateKey: hexutil.Encode(crypto.FromECDSA(account.Key)),
		})
	}
	for _, recipient := range d.recipients {
		state.Recipients = append(state.Recipients, recipient.State())
	}
	return state
}
