package chain

import (
	"context"
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
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
)

// Client reads one network through one node. Its methods may be called from any
// goroutine.
type Client struct {
	rpc     *rpc.Client
	eth     *ethclient.Client
	url     string   // without what is secret in it
	raw     []string // the nodes' URLs
	network Network
	conns   *http.Transport // of http and https

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
	urls := make([]*url.URL, 0, 1+len(others))
	shown := make([]string, 0, 1+len(others))
	for _, text := range append([]string{rawURL}, others...) {
		u, err := parseURL(text)
		if err != nil {
			return nil, err
		}
		if overHTTP := strings.HasPrefix(u.Scheme, "http"); !overHTTP && len(others) > 0 {
			return nil, fmt.Errorf("%w: scheme %q; of several nodes each must be http or https", ErrBadURL, u.Scheme)
		}
		urls, shown = append(urls, u), append(shown, redact(text))
	}
	c := &Client{url: strings.Join(shown, " or "), raw: append([]string{rawURL}, others...), network: network, conns: newTransport(), expected: network.Contracts}
	if network.BuiltIn() {
		c.expected = arbitrumOne().Contracts
	}
	overHTTP := &http.Client{
		Transport: newNodes(c.conns, network, urls),
		// A node that redirects would be asked somewhere nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var err error
	c.rpc, err = rpc.DialOptions(ctx, rawURL, rpc.WithHTTPClient(overHTTP), rpc.WithWebsocketDialer(newDialer()))
	if err != nil {
		if canceled := ctx.Err(); canceled != nil {
			err = canceled // and not what became of the connection by it
		}
		return nil, c.classify(err)
	}
	c.eth = ethclient.NewClient(c.rpc)
	return c, nil
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
	c.rpc.Close()
	c.conns.CloseIdleConnections()
}

// Network returns the network that the client reads.
func (c *Client) Network() Network { return c.network }

// URL returns the node's URL without what is secret in it.
func (c *Client) URL() string { return c.url }

// The methods below are what sending a transaction needs of a node. Their errors are
// this package's.

// ChainID returns the network's chain id.
func (c *Client) ChainID() *big.Int { return new(big.Int).SetUint64(c.network.ChainID) }

// BalanceAt returns what an account holds at the newest block, in wei.
func (c *Client) BalanceAt(ctx context.Context, account common.Address) (*big.Int, error) {
	balance, err := c.eth.BalanceAt(ctx, account, nil)
	return balance, c.classify(err)
}

// PendingNonceAt returns the account's next transaction nonce, counting what waits in
// the node's pool.
func (c *Client) PendingNonceAt(ctx context.Context, account common.Address) (uint64, error) {
	nonce, err := c.eth.PendingNonceAt(ctx, account)
	return nonce, c.classify(err)
}

// SuggestGasTipCap returns the tip that the node suggests, in wei a unit of gas.
func (c *Client) SuggestGasTipCap(ctx context.Context) (*big.Int, error) {
	tip, err := c.eth.SuggestGasTipCap(ctx)
	return tip, c.classify(err)
}

// SuggestGasPrice returns the price that the node suggests, in wei a unit of gas.
func (c *Client) SuggestGasPrice(ctx context.Context) (*big.Int, error) {
	price, err := c.eth.SuggestGasPrice(ctx)
	return price, c.classify(err)
}

// EstimateGas simulates a call and returns the gas it needs. It fails with
// *RevertError when the contract refuses.
func (c *Client) EstimateGas(ctx context.Context, msg ethereum.CallMsg) (uint64, error) {
	gas, err := c.eth.EstimateGas(ctx, msg)
	return gas, c.classify(err)
}

// EstimateGasAsRich is EstimateGas as if the caller had all the ether it needs.
func (c *Client) EstimateGasAsRich(ctx context.Context, msg ethereum.CallMsg) (uint64, error) {
	arg := map[string]any{"from": msg.From, "to": msg.To, "data": hexutil.Bytes(msg.Data)}
	if msg.Value != nil {
		arg["value"] = (*hexutil.Big)(msg.Value)
	}
	rich := (*hexutil.Big)(new(big.Int).Lsh(big.NewInt(1), 200))
	override := map[common.Address]any{msg.From: map[string]any{"balance": rich}}
	var gas hexutil.Uint64
	err := c.rpc.CallContext(ctx, &gas, "eth_estimateGas", arg, "latest", override)
	return uint64(gas), c.classify(err)
}

// CallContract simulates a call at a block. It fails with *RevertError when the
// contract refuses.
func (c *Client) CallContract(ctx context.Context, msg ethereum.CallMsg, block *big.Int) ([]byte, error) {
	out, err := c.eth.CallContract(ctx, msg, block)
	return out, c.classify(err)
}

// SendTransaction hands a signed transaction to the node.
func (c *Client) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	return c.classify(c.eth.SendTransaction(ctx, tx))
}

// TransactionReceipt returns a mined transaction's receipt, or ethereum.NotFound.
func (c *Client) TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	receipt, err := c.eth.TransactionReceipt(ctx, hash)
	if errors.Is(err, ethereum.NotFound) {
		return nil, err
	}
	return receipt, c.classify(err)
}
