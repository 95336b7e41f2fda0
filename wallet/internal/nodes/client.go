package nodes

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/rpc"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/transport"
	"github.com/pmctl/pmctl/internal/words"
)

// Network is what a node must serve.
type Network struct {
	// Name is the network's name for users, ID its chain ID (EIP-155).
	Name string
	ID   uint64
	// MaxHeadAge is how old the newest block may be; 0 is any age.
	MaxHeadAge time.Duration
}

// Client asks the first of a network's nodes that answers. All answers of a request come from
// one node, and later ones from a node that is no further behind. Reads are retried, on the
// next node and after a pause. A transaction is sent once, since its sender must handle each
// result. Methods may be called from any goroutine.
type Client struct {
	network Network
	all     []*node
	conns   transport.Transport // of http and https; they end with the client
	socket  *overSocket         // of ws and wss; nil otherwise

	mu sync.Mutex
	// current is the node that answered last, and answered reports whether one has.
	current  int
	answered bool
	// newest is the highest block that a node has reported.
	newest uint64
}

// ErrBadURL is returned for an RPC URL that cannot be dialled.
var ErrBadURL = hint.With(errors.New("not a usable RPC URL"),
	"pmctl config show names where it comes from: --rpc-url, ETH_RPC_URL, or rpc_urls in a config file")

// Dial prepares to ask the nodes at http, https, ws or wss URLs, in that order. A ws connection
// is opened at once, an http one with the first read; several nodes must all be http or https.
// It fails with ErrBadURL and ErrUnreachable, and as soon as ctx ends.
func Dial(ctx context.Context, network Network, texts ...string) (*Client, error) {
	urls := make([]*url.URL, len(texts))
	for i, text := range texts {
		u, err := parseURL(text)
		if err != nil && len(texts) > 1 {
			err = fmt.Errorf("URL %d of %d: %w", i+1, len(texts), err)
		}
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(u.Scheme, "http") && len(texts) > 1 {
			return nil, fmt.Errorf("%w: scheme %q; several nodes must all have http or https URLs", ErrBadURL, u.Scheme)
		}
		urls[i] = u
	}
	c := &Client{network: network, conns: transport.New(), all: make([]*node, len(urls))}
	secrets := secretsOf(urls)
	for i, u := range urls {
		shown := DisplayURL(texts[i])
		n := &node{shown: shown, chainID: network.ID}
		if strings.HasPrefix(u.Scheme, "http") {
			n.connection = &overHTTP{judge: judge{shown: shown, secrets: secrets}, transport: c.conns, url: u}
		} else {
			c.socket = &overSocket{judge: judge{shown: shown, secrets: secrets}, url: u}
			if _, err := c.socket.connected(ctx); err != nil {
				if errors.Is(ctx.Err(), context.Canceled) {
					return nil, context.Canceled
				}
				return nil, noConnection(shown, err)
			}
			n.connection = c.socket
		}
		c.all[i] = n
	}
	return c, nil
}

// Subscriber opens connections for subscriptions; nil if the node has none.
func (c *Client) Subscriber() func(context.Context) (*rpc.Client, error) {
	if c.socket == nil {
		return nil
	}
	return func(ctx context.Context) (*rpc.Client, error) {
		return rpc.DialOptions(ctx, c.socket.url.String(), rpc.WithWebsocketDialer(newDialer()))
	}
}

func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%w: use http://HOST, https://HOST, ws://HOST or wss://HOST", ErrBadURL)
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
		return u, nil
	}
	return nil, fmt.Errorf("%w: scheme %q; use http, https, ws or wss", ErrBadURL, u.Scheme)
}

// Close closes the connections.
func (c *Client) Close() {
	if c.socket != nil {
		c.socket.close()
	}
	c.conns.CloseIdleConnections()
}

// Trace calls show after each message to a node, from any goroutine; nil is none. Call it at most
// once, before the first request.
func (c *Client) Trace(show func(Exchange)) {
	for _, n := range c.all {
		n.trace = show
	}
}

// Limits sets how many requests each node gets at once: known returns the number for a URL, 0
// for any number, and found is called if that is too many for the node. Call it once at most,
// before the first request.
func (c *Client) Limits(known func(url string) int, found func(url string, atOnce int)) {
	for _, n := range c.all {
		n.found = found
		n.most.Store(int64(known(n.shown)))
	}
}

// ChainID returns the network's chain ID.
func (c *Client) ChainID() *big.Int { return new(big.Int).SetUint64(c.network.ID) }

// URL returns the URL of the node that answered last, without secrets, or those of all nodes if
// none has answered yet.
func (c *Client) URL() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answered {
		return c.all[c.current].shown
	}
	return words.Join(c.all, " or ", func(n *node) string { return n.shown })
}

// DisplayURL returns an RPC URL without user, path and query, which may be keys.
func DisplayURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "the given URL"
	}
	shown := u.Scheme + "://" + u.Host
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		shown += "/…"
	}
	return shown
}
