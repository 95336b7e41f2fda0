package cli

import (
	"context"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet"
)

// ui is how package wallet speaks to the user of a command.
type ui struct{ run *Run }

func (u ui) Note(text string) { u.run.Note("%s", text) }
func (u ui) Asks() bool       { return u.run.Asks() }

func (u ui) Confirm(ctx context.Context, question string) error {
	return u.run.Confirm(ctx, false, question)
}

func (u ui) Progress(text func() string) (done func()) { return u.run.Progress(text) }

// logging is a UI whose notes go into a log.
type logging struct {
	wallet.UI
	noted func(text string)
}

func (l logging) Note(text string) { l.noted(text) }

// ReadingConfig is for flows that only read the network which the options choose.
func ReadingConfig(r *Run, o *NetworkOptions) (wallet.Config, error) {
	if err := o.CheckTimeout(); err != nil {
		return wallet.Config{}, err
	}
	network, err := o.ChooseNetwork(r.Env)
	if err != nil {
		return wallet.Config{}, err
	}
	config := wallet.Config{OnRequest: r.OnRequest, Timeout: o.Timeout, UI: ui{r}, Now: r.Now, DatabasesDir: r.databasesDir()}
	if config.Nodes, _, err = o.Nodes(r.Env, network); err != nil {
		return wallet.Config{}, err
	}
	if len(config.Nodes) > 0 {
		network.RPCURL = config.Nodes[0]
	}
	config.Network = network
	config.CacheDir, _ = r.cacheDir() // without a home folder there is none
	return config, nil
}

// WalletConfig is the wallet that the options describe, without its account and limits.
func WalletConfig(r *Run, o *WalletOptions) (wallet.Config, error) {
	config, err := ReadingConfig(r, &o.Network)
	if err != nil {
		return wallet.Config{}, err
	}
	config.AcceptContracts = o.Network.acceptContracts
	config.Mined = func(ctx context.Context, account common.Address, transaction common.Hash) {
		r.tellAgent(ctx, config.Network.ChainID, account, transaction)
	}
	config.Store, err = o.Store.Choose(r.Env)
	return config, err
}

// LimitedConfig is WalletConfig with the limits. Of several mistakes it reports one in the limits first.
func LimitedConfig(r *Run, o *WalletOptions) (wallet.Config, error) {
	limits, err := o.Limits.Limits(r.Env)
	if err != nil {
		return wallet.Config{}, err
	}
	config, err := WalletConfig(r, o)
	config.Limits = limits
	return config, err
}

// StoreConfig is for flows that only use the store.
func StoreConfig(r *Run, place *StoreOptions) (wallet.Config, error) {
	location, err := place.Choose(r.Env)
	return wallet.Config{Store: location, DatabasesDir: r.databasesDir(), UI: ui{r}, Now: r.Now}, err
}

// JournalOf opens the wallet that the options describe for its journal. No node is asked.
func JournalOf(ctx context.Context, r *Run, o *WalletOptions) (*wallet.Wallet, error) {
	network, err := o.Network.ChooseNetwork(r.Env)
	if err != nil {
		return nil, err
	}
	config, err := StoreConfig(r, &o.Store)
	if err != nil {
		return nil, err
	}
	config.Network = network
	return wallet.Open(ctx, config)
}

// databasesDir is where this machine remembers which databases it has seen; "" where a
// process has no home folder: it remembers nothing, and says that it cannot tell.
func (e *Env) databasesDir() string {
	dir, err := e.stateDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "databases")
}
