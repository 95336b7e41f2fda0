package chain

import (
	"context"
	"sync/atomic"

	"github.com/pmctl/pmctl/wallet/internal/nodes"
)

// Client reads one network through its nodes. Its methods may be called from any goroutine.
type Client struct {
	*nodes.Client
	network  Network
	registry registry
	memory   memory
	newest   atomic.Pointer[Head]
}

// The nodes' types that callers of this package need.
type (
	Head         = nodes.Head
	Block        = nodes.Block
	Estimate     = nodes.Estimate
	Quote        = nodes.Quote
	NonceUse     = nodes.NonceUse
	Exchange     = nodes.Exchange
	NodeError    = nodes.NodeError
	ChainIDError = nodes.ChainIDError
	StaleError   = nodes.StaleError
)

// ErrUnreachable is matched by the error of a node that cannot be asked.
var ErrUnreachable = nodes.ErrUnreachable

// ErrBadURL is returned for an RPC URL that cannot be dialled.
var ErrBadURL = nodes.ErrBadURL

// Dial prepares to read network through the node at an http, https, ws or wss URL. A ws
// connection is opened at once, an http one with the first read. If that node does not answer,
// the others, at http or https URLs, are asked, as long as they serve the same chain. It fails
// with ErrBadURL and ErrUnreachable, and as soon as ctx ends.
func Dial(ctx context.Context, rawURL string, network Network, others ...string) (*Client, error) {
	serving := nodes.Network{Name: network.Name, ID: network.ChainID, MaxHeadAge: network.MaxHeadAge}
	asked, err := nodes.Dial(ctx, serving, append([]string{rawURL}, others...)...)
	if err != nil {
		return nil, err
	}
	c := &Client{Client: asked, network: network, registry: registry{network: network, expected: network.Contracts}}
	if network.BuiltIn() {
		c.registry.expected = arbitrumOne().Contracts
	}
	return c, nil
}

// Network returns the network that the client reads.
func (c *Client) Network() Network { return c.network }

// NewestHead returns the newest block as of the last Facts, however old it is; false before
// the first.
func (c *Client) NewestHead() (Head, bool) {
	if head := c.newest.Load(); head != nil {
		return *head, true
	}
	return Head{}, false
}
