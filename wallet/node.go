package wallet

import (
	"context"
	"errors"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store"
)

// ErrNoNode is returned if a node is needed and none is configured.
var ErrNoNode = errors.New("no RPC URL configured")

// NoNode returns ErrNoNode with the network in its hint.
func NoNode(network chain.Network) error {
	return hint.With(ErrNoNode, "pass --rpc-url URL, or set ETH_RPC_URL or rpc_urls in the config file; the network is %s (chain ID %d)", network.Name, network.ChainID)
}

// Dial prepares to read the network through the Config's nodes, without a request. It returns
// ErrNoNode and the errors of chain.Dial.
func (c Config) Dial(ctx context.Context) (*chain.Client, error) {
	if len(c.Nodes) == 0 {
		return nil, NoNode(c.Network)
	}
	client, err := chain.Dial(ctx, c.Nodes[0], c.Network, c.Nodes[1:]...)
	if err != nil {
		return nil, err
	}
	client.Trace(c.onExchange())
	if c.CacheDir != "" {
		client.RememberIn(c.CacheDir)
	}
	return client, nil
}

// DialKnown is Dial with the contracts pinned in PinnedIn, if they can be read.
func (c Config) DialKnown(ctx context.Context) (*chain.Client, error) {
	if c.PinnedIn != "" {
		if known, ok, err := knownContracts(ctx, c.Network, c.PinnedIn); ok && err == nil {
			c.Network.Contracts = known
		}
	}
	return c.Dial(ctx)
}

// read dials the network for one flow that only reads.
func (c Config) read(ctx context.Context, do func(context.Context, *chain.Client) error) error {
	ctx, cancel := c.withDefaults().bound(ctx)
	defer cancel()
	node, err := c.Dial(ctx)
	if err != nil {
		return err
	}
	defer node.Close()
	return do(ctx, node)
}

// connect returns the open connection, or a new one. The contracts that its node names must be
// those pinned in the store; the first ones seen are pinned. A wallet without a store pins none.
func (w *Wallet) connect(ctx context.Context) (*chain.Client, error) {
	if w.node != nil {
		return w.node, nil
	}
	network := w.Network
	if w.store == nil && w.PinnedIn != "" {
		known, ok, err := knownContracts(ctx, network, w.PinnedIn)
		switch {
		case err != nil:
			return nil, err
		case w.AcceptContracts && !network.BuiltIn():
			network.Contracts = chain.Contracts{}
		case ok:
			network.Contracts = known
		}
	}
	config := w.Config
	config.Network = network
	client, err := config.Dial(ctx)
	if err != nil {
		return nil, err
	}
	if w.store != nil {
		if err := client.Pin(ctx, notedPins{w.store.Chain(network.ChainID), w}, w.AcceptContracts); err != nil {
			client.Close()
			return nil, err
		}
	}
	w.node = client
	return client, nil
}

// knownContracts returns the contracts of a network without asking a node: built in, pinned in the
// store at a location, or from the local network's state file. It returns false if none are known,
// and creates no store.
func knownContracts(ctx context.Context, network chain.Network, location string) (chain.Contracts, bool, error) {
	if network.BuiltIn() {
		return network.Contracts, true, nil
	}
	pinned, ok, err := store.PinnedContracts(ctx, location, network.ChainID, network.Controller)
	if ok || err != nil {
		return pinned, ok, err
	}
	return network.Contracts, network.Contracts != (chain.Contracts{}), nil
}

// notedPins notes when a pin of the store is replaced.
type notedPins struct {
	*store.Chain
	wallet *Wallet
}

// ReplaceContracts implements chain.Pins.
func (p notedPins) ReplaceContracts(ctx context.Context, found chain.Contracts) error {
	err := p.Chain.ReplaceContracts(ctx, found)
	if err == nil {
		p.wallet.note("pinned    TicketBroker %s, which replaces the pinned one", found.TicketBroker)
	}
	return err
}

// situation is the state that a flow starts from.
type situation struct {
	client  *chain.Client
	status  *chain.Status
	account common.Address
	// outlook is the node's answer about an action's prospect; nil without one.
	outlook *chain.Outlook
}

func (w *Wallet) manager(node *chain.Client) tx.Manager {
	return tx.Manager{Node: node, Journal: w.journal}
}

// look reads the account's state.
func (w *Wallet) look(ctx context.Context, account common.Address) (situation, error) {
	client, err := w.connect(ctx)
	if err != nil {
		return situation{}, err
	}
	status, err := client.Status(ctx, account)
	return situation{client: client, status: status, account: account}, err
}

// lookFor reads the account's state together with the costs of an action.
func (w *Wallet) lookFor(ctx context.Context, account common.Address, a Action) (situation, error) {
	if a.plan == nil {
		return situation{}, ErrNoAction
	}
	if a.prospect == nil {
		return w.look(ctx, account)
	}
	client, err := w.connect(ctx)
	if err != nil {
		return situation{}, err
	}
	call, funding := a.prospect(account)
	outlook, err := client.Consider(ctx, account, call.Value.Big(), call.Data, funding)
	if err != nil {
		return situation{}, err
	}
	return situation{client, outlook.Status, account, outlook}, nil
}

// disconnect closes the connection to the node; the next look opens another.
func (w *Wallet) disconnect() {
	if w.node != nil {
		w.node.Close()
		w.node = nil
	}
}
