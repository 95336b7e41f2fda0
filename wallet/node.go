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

// ErrNoNode is returned when a network must be asked and no node is named.
var ErrNoNode = errors.New("no Ethereum node to ask")

// NoNode is ErrNoNode that says which network it is about.
func NoNode(network chain.Network) error {
	return hint.With(ErrNoNode, "say --rpc-url URL, or set ETH_RPC_URL, or rpc_urls in the config file; the network is %s (chain id %d)", network.Name, network.ChainID)
}

// Dial prepares to read the network through its nodes; nothing is asked yet. It fails with
// ErrNoNode, and as chain.Dial does.
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

// DialKnown is Dial that holds the node to the contracts that are pinned in PinnedIn, as far as
// that can be read.
func (c Config) DialKnown(ctx context.Context) (*chain.Client, error) {
	if c.PinnedIn != "" {
		if known, ok, err := KnownContracts(ctx, c.Network, c.PinnedIn); ok && err == nil {
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

// connect is the node: the connection of earlier, or a new one. The contracts that it
// names must be those that are pinned in the store. Those of a network that is seen for
// the first time are pinned; a wallet without a store pins none.
func (w *Wallet) connect(ctx context.Context) (*chain.Client, error) {
	if w.node != nil {
		return w.node, nil
	}
	network := w.Network
	if w.store == nil && w.PinnedIn != "" {
		known, ok, err := KnownContracts(ctx, network, w.PinnedIn)
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

// KnownContracts returns where this machine knows a network's contracts to be, without
// asking a node: built in, pinned in the store at a location, or named by the local
// network's state file. It is false when nothing is known. Where there is no store it
// creates none.
func KnownContracts(ctx context.Context, network chain.Network, location string) (chain.Contracts, bool, error) {
	if network.BuiltIn() {
		return network.Contracts, true, nil
	}
	pinned, ok, err := store.PinnedContracts(ctx, location, network.ChainID, network.Controller)
	if ok || err != nil {
		return pinned, ok, err
	}
	return network.Contracts, network.Contracts != (chain.Contracts{}), nil
}

// notedPins are a store's that tell the user when one is replaced.
type notedPins struct {
	*store.Chain
	wallet *Wallet
}

// ReplaceContracts implements chain.Pins.
func (p notedPins) ReplaceContracts(ctx context.Context, found chain.Contracts) error {
	err := p.Chain.ReplaceContracts(ctx, found)
	if err == nil {
		p.wallet.note("pinned    TicketBroker %s, in place of the one that was known", found.TicketBroker)
	}
	return err
}

// situation is what a flow finds before it decides what to send.
type situation struct {
	client  *chain.Client
	status  *chain.Status
	account common.Address
	// outlook is what the node says of an action's prospect; nil where there is none.
	outlook *chain.Outlook
}

// manager sends what is signed, and waits for it.
func (w *Wallet) manager(node *chain.Client) tx.Manager {
	return tx.Manager{Node: node, Journal: w.journal}
}

// look finds where an account stands.
func (w *Wallet) look(ctx context.Context, account common.Address) (situation, error) {
	client, err := w.connect(ctx)
	if err != nil {
		return situation{}, err
	}
	status, err := client.Status(ctx, account)
	return situation{client: client, status: status, account: account}, err
}

// lookFor is look before an action.
func (w *Wallet) lookFor(ctx context.Context, account common.Address, a Action) (situation, error) {
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

// disconnect closes the connection to the node; the next look makes another.
func (w *Wallet) disconnect() {
	if w.node != nil {
		w.node.Close()
		w.node = nil
	}
}
