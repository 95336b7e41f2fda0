package devnet

import (
	"context"
	"encoding/hex"
	"errors"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/devnet/runners"
	"github.com/pmctl/pmctl/wallet/signer"
)

// watchInterval is how often a recipient polls the chain, which costs one request within this
// process.
const watchInterval = 50 * time.Millisecond

// startRecipient starts the package's own recipient.
func startRecipient(ctx context.Context, env RecipientEnv) (Recipient, error) {
	return OwnRecipient(RecipientConfig{Economy: recipient.DefaultEconomy()})(ctx, env)
}

// RecipientConfig has the settings of the package's own recipient.
type RecipientConfig struct {
	// Economy is its prices and tickets, Faults its faults.
	Economy recipient.Economy
	Faults  []string

	// Runners are its live runners; nil are runners.Default().
	Runners []runners.Runner

	// Now is its clock; nil is time.Now.
	Now func() time.Time

	// StorePath is the file of its winning tickets, with which a later run continues; without
	// it they end with the recipient.
	StorePath string
}

// OwnRecipient starts the package's own recipient with other settings.
func OwnRecipient(cfg RecipientConfig) StartRecipient {
	return func(ctx context.Context, env RecipientEnv) (Recipient, error) {
		o := &ownRecipient{}
		if err := o.start(ctx, env, cfg); err != nil {
			return nil, errors.Join(err, o.Close())
		}
		return o, nil
	}
}

// ownRecipient is a recipient's account with its view of the chain, and the servers that accept
// payments for it.
type ownRecipient struct {
	stop    context.CancelFunc // ends the account's work on the chain
	client  *chain.Client
	watcher *chain.Watcher
	key     signer.Source
	cfg     recipient.Config

	mu      sync.Mutex
	closed  bool
	servers []*recipient.Recipient // the first is the one of State
}

func (o *ownRecipient) start(ctx context.Context, env RecipientEnv, cfg RecipientConfig) error {
	var life context.Context
	life, o.stop = context.WithCancel(context.Background())
	var err error
	network := chain.Network{Name: chain.Devnet, ChainID: env.ChainID.Uint64(), Controller: env.Controller, RPCURL: env.RPCURL}
	// Lasting connections, so that ending the network waits for none.
	if o.client, err = chain.Dial(ctx, env.WSURL, network); err != nil {
		return err
	}
	if o.watcher, err = chain.Watch(life, o.client, watchInterval); err != nil {
		return err
	}
	key, err := signer.RawKey([]byte(hex.EncodeToString(crypto.FromECDSA(env.Key))))
	if err != nil {
		return err
	}
	o.key = key
	sender := NewSender(o.client, o.key)
	if err := sender.afterEarlier(ctx); err != nil {
		return err
	}
	broker, err := chain.NewBroker(life, o.client, sender)
	if err != nil {
		return err
	}
	o.cfg = recipient.Config{
		Address:  o.key.Address(),
		ChainID:  env.ChainID.Uint64(),
		Broker:   broker,
		Time:     o.watcher,
		Senders:  o.watcher,
		IsActive: o.watcher.IsActive,
		Sync:     o.sync,
		Now:      time.Now,
	}
	if _, err := o.serve(cfg); err != nil {
		return err
	}
	o.routes(env)
	return nil
}

// serve starts a server for the account. Each has its own economy, faults, secret, store and
// counts.
func (o *ownRecipient) serve(own RecipientConfig) (*recipient.Recipient, error) {
	cfg := o.cfg
	cfg.Economy, cfg.Faults, cfg.StorePath, cfg.Runners = own.Economy, own.Faults, own.StorePath, own.Runners
	if cfg.Runners == nil {
		cfg.Runners = runners.Default()
	}
	if own.Now != nil {
		cfg.Now = own.Now
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil, errors.New("the recipient is closed")
	}
	server, err := recipient.Start(cfg)
	if err != nil {
		return nil, err
	}
	o.servers = append(o.servers, server)
	return server, nil
}

// main is the server of State.
func (o *ownRecipient) main() *recipient.Recipient {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.servers[0]
}

// State has the recipient's addresses.
func (o *ownRecipient) State() chain.DevnetRecipient { return stateOf(o.main()) }

func stateOf(server *recipient.Recipient) chain.DevnetRecipient {
	return chain.DevnetRecipient{
		Address:   server.Address(),
		URL:       server.URL(),
		PlainURL:  server.PlainURL(),
		StatusURL: server.StatusURL(),
	}
}

// Close ends the servers, and the account's work on the chain.
func (o *ownRecipient) Close() error {
	o.mu.Lock()
	o.closed = true
	servers := o.servers
	o.mu.Unlock()

	o.stop()
	var err error
	for _, server := range servers {
		err = errors.Join(err, server.Close())
	}
	if o.watcher != nil {
		o.watcher.Close()
	}
	if o.key != nil {
		o.key.Close()
	}
	if o.client != nil {
		o.client.Close()
	}
	return err
}

// sync returns once the recipient has seen the newest block, so that its next request counts
// the blocks that a test has mined.
func (o *ownRecipient) sync(ctx context.Context) error {
	head, err := o.client.Head(ctx)
	if err != nil {
		return err
	}
	newest := new(big.Int).SetUint64(head.L1Block)
	if o.watcher.LastSeenL1Block().Cmp(newest) >= 0 {
		return nil
	}
	blocks := make(chan *big.Int)
	subscription := o.watcher.SubscribeL1Blocks(blocks)
	defer subscription.Unsubscribe()
	for o.watcher.LastSeenL1Block().Cmp(newest) < 0 {
		select {
		case <-blocks:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
