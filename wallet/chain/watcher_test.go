package chain_test

import (
	"context"
	"encoding/json"
	"math/big"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// never is an interval that no test waits for.
const never = time.Hour

func watch(t *testing.T, client *chain.Client, interval time.Duration) *chain.Watcher {
	t.Helper()
	watcher, err := chain.Watch(t.Context(), client, interval)
	require.NoError(t, err)
	t.Cleanup(watcher.Close)
	return watcher
}

// reaches waits until the watcher has seen an L1 block.
func reaches(t *testing.T, watcher *chain.Watcher, blocks <-chan *big.Int, number uint64) {
	t.Helper()
	for watcher.LastSeenL1Block().Uint64() != number {
		receive(t, blocks)
	}
}

// head is the network's newest block.
func head(t *testing.T, client *chain.Client) chain.Head {
	t.Helper()
	head, err := client.Head(t.Context())
	require.NoError(t, err)
	return head
}

// TestWatcherIsNotified: the node announces each block to a watcher that would not poll.
func TestWatcherIsNotified(t *testing.T) {
	for _, cfg := range []devnet.Config{{}, {Arbitrum: true}} {
		d, client := start(t, cfg)
		watcher := watch(t, dial(t, d.WSURL(), network(d)), never)
		blocks, changes := make(chan *big.Int), make(chan common.Address)
		defer watcher.SubscribeL1Blocks(blocks).Unsubscribe()
		defer watcher.SubscribeReserveChange(changes).Unsubscribe()
		acts, who := account(t, d, client, 0)
		broker, err := chain.NewBroker(t.Context(), client, acts)
		require.NoError(t, err)
		done(t, broker)(broker.FundDeposit(ether(t, "1eth")))
		require.Equal(t, who, receive(t, changes))
		require.NoError(t, d.Mine(t.Context(), 30))
		reaches(t, watcher, blocks, head(t, client).L1Block)
		require.NoError(t, watcher.Err())
	}
}

// cable is a TCP connection to the node that can be cut.
type cable struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu    sync.Mutex
	node  string
	cut   bool
	conns []net.Conn
	taken int // connections
}

func newCable(t *testing.T, url string) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cable{listener: listener}
	c.lead(url)
	c.wg.Go(c.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		c.set(true)
		c.wg.Wait()
	})
	return c
}

func (c *cable) url() string { return "ws://" + c.listener.Addr().String() }

// lead makes connections end at another node from now on.
func (c *cable) lead(url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.node = strings.TrimPrefix(url, "ws://")
}

// set cuts the cable or mends it.
func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for _, conn := range c.conns {
			_ = conn.Close()
		}
		c.conns = nil
	}
}

func (c *cable) serve() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		node := c.node
		c.mu.Unlock()
		far, err := net.Dial("tcp", node)
		if err != nil {
			_ = near.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, near, far)
		c.taken++
		cut := c.cut
		c.mu.Unlock()
		if cut {
			c.set(true)
			continue
		}
		pipe := func(to, from net.Conn) func() {
			return func() {
				buf := make([]byte, 4096)
				for {
					n, err := from.Read(buf)
					if err == nil {
						_, err = to.Write(buf[:n])
					}
					if err != nil {
						_ = to.Close()
						_ = from.Close()
						return
					}
				}
			}
		}
		c.wg.Go(pipe(near, far))
		c.wg.Go(pipe(far, near))
	}
}

// TestWatcherAfterALostConnection cuts the connection of the announcements. What happened in
// between is reported afterwards, and later events are, too.
func TestWatcherAfterALostConnection(t *testing.T) {
	d, client := start(t, devnet.Config{RoundLength: 1000})
	cable := newCable(t, d.WSURL())
	watcher := watch(t, dial(t, cable.url(), network(d)), never)
	rounds, changes := make(chan types.Log), make(chan common.Address)
	defer watcher.SubscribeRounds(rounds).Unsubscribe()
	defer watcher.SubscribeReserveChange(changes).Unsubscribe()
	acts, who := account(t, d, client, 0)
	broker, err := chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)
	done(t, broker)(broker.FundDeposit(ether(t, "1eth")))
	require.Equal(t, who, receive(t, changes))

	cable.set(true)
	done(t, broker)(broker.FundDeposit(ether(t, "1eth")))
	require.NoError(t, d.NextRound(t.Context(), 1))
	require.Eventually(t, func() bool { return watcher.Err() != nil }, 20*time.Second, 5*time.Millisecond)
	require.ErrorIs(t, watcher.Err(), chain.ErrUnreachable)
	require.ErrorContains(t, watcher.Err(), "the chain was last seen")
	cable.set(false)
	require.Equal(t, who, receive(t, changes))
	require.Equal(t, watcher.LastInitializedRound(), receive(t, rounds).Topics[1].Big())
	info, err := watcher.GetSenderInfo(who)
	require.NoError(t, err)
	require.Equal(t, ether(t, "2eth"), info.Deposit)

	done(t, broker)(broker.FundDeposit(ether(t, "1eth")))
	require.Equal(t, who, receive(t, changes))
	require.NoError(t, watcher.Err())
}

// passing is a node's eth API over WebSocket, as far as a watcher uses it, without
// subscriptions.
type passing struct{ node *rpc.Client }

func (p *passing) pass(ctx context.Context, method string, args ...any) (result json.RawMessage, err error) {
	return result, p.node.CallContext(ctx, &result, method, args...)
}

func (p *passing) ChainId(ctx context.Context) (json.RawMessage, error) { //nolint:revive // its name on the wire
	return p.pass(ctx, "eth_chainId")
}

func (p *passing) GetCode(ctx context.Context, address, block json.RawMessage) (json.RawMessage, error) {
	return p.pass(ctx, "eth_getCode", address, block)
}

func (p *passing) Call(ctx context.Context, message, block json.RawMessage) (json.RawMessage, error) {
	return p.pass(ctx, "eth_call", message, block)
}

func (p *passing) GetBlockByNumber(ctx context.Context, number, full json.RawMessage) (json.RawMessage, error) {
	return p.pass(ctx, "eth_getBlockByNumber", number, full)
}

func (p *passing) GetLogs(ctx context.Context, filter json.RawMessage) (json.RawMessage, error) {
	return p.pass(ctx, "eth_getLogs", filter)
}

// silent accepts a subscription and never announces anything.
type silent struct {
	passing
	taken atomic.Int32 // subscriptions
}

func (s *silent) NewHeads(ctx context.Context) (*rpc.Subscription, error) {
	s.taken.Add(1)
	notifier, ok := rpc.NotifierFromContext(ctx)
	if !ok {
		return nil, rpc.ErrNotificationsUnsupported
	}
	return notifier.CreateSubscription(), nil
}

// serveWS serves an eth API over WebSocket.
func serveWS(t *testing.T, service any) string {
	t.Helper()
	server := rpc.NewServer()
	t.Cleanup(server.Stop)
	require.NoError(t, server.RegisterName("eth", service))
	web := httptest.NewServer(server.WebsocketHandler([]string{"*"}))
	t.Cleanup(web.Close)
	return strings.Replace(web.URL, "http://", "ws://", 1)
}

// TestWatcherAsksAnotherNode: a node with subscriptions replaces one without.
func TestWatcherAsksAnotherNode(t *testing.T) {
	d, client := start(t, devnet.Config{})
	node, err := rpc.Dial(d.RPCURL())
	require.NoError(t, err)
	t.Cleanup(node.Close)
	cable := newCable(t, serveWS(t, &passing{node}))
	other := &silent{passing: passing{node}}
	otherURL := serveWS(t, other)
	watcher := watch(t, dial(t, cable.url(), network(d)), 5*time.Millisecond)
	blocks := make(chan *big.Int)
	defer watcher.SubscribeL1Blocks(blocks).Unsubscribe()
	require.NoError(t, d.Mine(t.Context(), 1))
	reaches(t, watcher, blocks, head(t, client).L1Block) // it has asked, and was refused
	cable.set(true)
	require.Eventually(t, func() bool { return watcher.Err() != nil }, 20*time.Second, 5*time.Millisecond)
	cable.lead(otherURL)
	cable.set(false)
	require.Eventually(t, func() bool { return other.taken.Load() > 0 }, 20*time.Second, 5*time.Millisecond)
}

// TestWatcherWithoutNews polls if the node has no subscriptions, or has one and announces
// nothing.
func TestWatcherWithoutNews(t *testing.T) {
	d, client := start(t, devnet.Config{})
	node, err := rpc.Dial(d.RPCURL())
	require.NoError(t, err)
	defer node.Close()
	quiet := &silent{passing: passing{node}}
	for name, service := range map[string]any{"refused": &passing{node}, "silent": quiet} {
		t.Run(name, func(t *testing.T) {
			watcher := watch(t, dial(t, serveWS(t, service), network(d)), 5*time.Millisecond)
			blocks := make(chan *big.Int)
			defer watcher.SubscribeL1Blocks(blocks).Unsubscribe()
			for range 3 {
				require.NoError(t, d.Mine(t.Context(), 1))
				reaches(t, watcher, blocks, head(t, client).L1Block)
			}
			require.NoError(t, watcher.Err())
		})
	}
	require.Greater(t, quiet.taken.Load(), int32(1), "a silent subscription is renewed")
}

// TestWatcherLeavesNoSubscription ends while the node announces blocks.
func TestWatcherLeavesNoSubscription(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	core.SenderCacher() // goroutines that the node starts once and never ends
	client, err := chain.Dial(t.Context(), d.WSURL(), network(d))
	require.NoError(t, err)
	_, err = client.Contracts(t.Context())
	require.NoError(t, err)
	before := goleak.IgnoreCurrent() // with the connection, whose far end is the node's
	watcher, err := chain.Watch(t.Context(), client, never)
	require.NoError(t, err)
	blocks := make(chan *big.Int)
	sub := watcher.SubscribeL1Blocks(blocks)
	require.NoError(t, d.Mine(t.Context(), 3))
	receive(t, blocks)
	sub.Unsubscribe()
	watcher.Close()
	goleak.VerifyNone(t, before)
	client.Close()
}

// TestDialEndsWithItsContext interrupts the dialling of a server that accepts a connection and
// never answers.
func TestDialEndsWithItsContext(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	for _, scheme := range []string{"ws://", "wss://"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		ended := make(chan error, 1)
		go func() {
			_, err := chain.Dial(ctx, scheme+listener.Addr().String()+"/verysecretkey", chain.Network{})
			ended <- err
		}()
		conn, err := listener.Accept()
		require.NoError(t, err)
		_, err = conn.Read(make([]byte, 1)) // the handshake was sent and waits
		require.NoError(t, err)
		cancel()
		err = receive(t, ended)
		require.ErrorIs(t, err, context.Canceled)
		require.NotContains(t, err.Error(), "secret")
		require.NoError(t, conn.Close())
	}
}

// TestConnectionOutlivesTheDial continues on the same connection after the dial's context has
// ended.
func TestConnectionOutlivesTheDial(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	cable := newCable(t, d.WSURL())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	client, err := chain.Dial(ctx, cable.url(), network(d))
	require.NoError(t, err)
	defer client.Close()
	cancel()
	for range 3 {
		_, err = client.Head(t.Context())
		require.NoError(t, err)
	}
	cable.mu.Lock()
	defer cable.mu.Unlock()
	require.Equal(t, 1, cable.taken)
}

func TestWatchWantsAnInterval(t *testing.T) {
	_, client := start(t, devnet.Config{})
	_, err := chain.Watch(t.Context(), client, 0)
	require.ErrorContains(t, err, "must be positive")
}
