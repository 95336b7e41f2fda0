package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// Client reads one network through its nodes. Its methods may be called from any
// goroutine.
type Client struct {
	nodes   *nodes
	network Network
	conns   *http.Transport // of http and https
	socket  *overSocket     // of ws and wss; nil otherwise

	mu        sync.Mutex
	contracts *Contracts // once the registry has named them
	expected  Contracts  // where they must be; zero until something is known of that
	pins      Pins       // nil when the client pins nothing
	accept    bool       // whether others may replace the pinned ones
	memoryAt  string     // the path of the file that known is kept in; "" for none
	known     memory
}

// ErrBadURL is returned for an RPC URL that cannot be dialled.
var ErrBadURL = errors.New("not a usable RPC URL")

// Dial prepares to read network through the node at an http, https, ws or wss URL. A
// ws connection is made at once, an http one with the first read. Where that node does
// not answer, the others at http or https URLs are asked, if they serve the same chain.
// It fails with ErrBadURL and ErrUnreachable, and as soon as ctx ends.
func Dial(ctx context.Context, rawURL string, network Network, others ...string) (*Client, error) {
	texts := append([]string{rawURL}, others...)
	urls := make([]*url.URL, len(texts))
	for i, text := range texts {
		u, err := parseURL(text)
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(u.Scheme, "http") && len(others) > 0 {
			return nil, fmt.Errorf("%w: scheme %q; of several nodes each must be http or https", ErrBadURL, u.Scheme)
		}
		urls[i] = u
	}
	c := &Client{network: network, conns: newTransport(), nodes: &nodes{network: network, all: make([]*node, len(urls))}, expected: network.Contracts}
	if network.BuiltIn() {
		c.expected = arbitrumOne().Contracts
	}
	secrets := secretsOf(urls)
	for i, u := range urls {
		shown := redact(texts[i])
		n := &node{shown: shown, chainID: network.ChainID}
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
		c.nodes.all[i] = n
	}
	return c, nil
}

// subscriber is what makes connections for subscriptions; nil where the node has none.
func (c *Client) subscriber() func(context.Context) (*rpc.Client, error) {
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
		return nil, fmt.Errorf("%w: it must be http://HOST, https://HOST, ws://HOST or wss://HOST", ErrBadURL)
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
		return u, nil
	}
	return nil, fmt.Errorf("%w: scheme %q; it must be http, https, ws or wss", ErrBadURL, u.Scheme)
}

// newTransport is one client's own connections, which end with it.
func newTransport() *http.Transport {
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		return standard.Clone()
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment}
}

// Close ends the connections.
func (c *Client) Close() {
	if c.socket != nil {
		c.socket.close()
	}
	c.conns.CloseIdleConnections()
}

// Trace has each message to a node shown to a function, which may be called from any
// goroutine. It may be called once, before anything is asked.
func (c *Client) Trace(show func(Exchange)) {
	for _, n := range c.nodes.all {
		n.trace = show
	}
}

// Network returns the network that the client reads.
func (c *Client) Network() Network { return c.network }

// URL returns the URL of the node that answered last without what is secret in it, and
// those of all nodes as long as none has.
func (c *Client) URL() string { return c.nodes.url() }

// The methods below are what sending a transaction needs of a node. Their errors are
// this package's.

// ChainID returns the network's chain id.
func (c *Client) ChainID() *big.Int { return new(big.Int).SetUint64(c.network.ChainID) }

// PendingNonceAt returns the account's next transaction nonce, counting what waits in
// the node's pool.
func (c *Client) PendingNonceAt(ctx context.Context, account common.Address) (uint64, error) {
	var nonce hexutil.Uint64
	err := c.get(ctx, &nonce, "eth_getTransactionCount", account, "pending")
	return uint64(nonce), err
}

// EstimateGasAsRich simulates a call as if the caller had all the ether it needs, which not
// every node can do, and returns the gas it needs. It fails with *RevertError when the
// contract refuses.
func (c *Client) EstimateGasAsRich(ctx context.Context, msg ethereum.CallMsg) (uint64, error) {
	rich := (*hexutil.Big)(new(big.Int).Lsh(big.NewInt(1), 200))
	override := map[common.Address]any{msg.From: map[string]any{"balance": rich}}
	var gas hexutil.Uint64
	err := c.get(ctx, &gas, "eth_estimateGas", argument(msg), "latest", override)
	return uint64(gas), err
}

// argument is a call as nodes take it.
func argument(msg ethereum.CallMsg) map[string]any {
	arg := map[string]any{"from": msg.From, "to": msg.To, "data": hexutil.Bytes(msg.Data)}
	if msg.Value != nil {
		arg["value"] = (*hexutil.Big)(msg.Value)
	}
	if msg.Gas != 0 {
		arg["gas"] = hexutil.Uint64(msg.Gas)
	}
	return arg
}

// CallContract simulates a call at a block. It fails with *RevertError when the
// contract refuses.
func (c *Client) CallContract(ctx context.Context, msg ethereum.CallMsg, block *big.Int) ([]byte, error) {
	at := any("latest")
	if block != nil {
		at = (*hexutil.Big)(block)
	}
	var out hexutil.Bytes
	err := c.get(ctx, &out, "eth_call", argument(msg), at)
	return out, err
}

// SendTransaction hands a signed transaction to one node, once.
func (c *Client) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	raw, err := tx.MarshalBinary()
	if err != nil {
		return err
	}
	var hash json.RawMessage
	return c.get(ctx, &hash, "eth_sendRawTransaction", hexutil.Bytes(raw))
}

// TransactionReceipt returns a mined transaction's receipt, or ethereum.NotFound.
func (c *Client) TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	var receipt *types.Receipt
	err := c.get(ctx, &receipt, "eth_getTransactionReceipt", hash)
	if err == nil && receipt == nil {
		err = ethereum.NotFound
	}
	return receipt, err
}
