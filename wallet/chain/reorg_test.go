package chain_test

import (
	"encoding/json"
	"math/big"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// each runs a test over HTTP, where the watcher polls, and over WebSocket, where it is
// notified.
func each(t *testing.T, cfg devnet.Config, test func(*testing.T, *devnet.Devnet, *chain.Client, *chain.Watcher)) {
	t.Run("http", func(t *testing.T) {
		d, client := start(t, cfg)
		test(t, d, client, watch(t, client, 5*time.Millisecond))
	})
	t.Run("ws", func(t *testing.T) {
		d, client := start(t, cfg)
		test(t, d, client, watch(t, dial(t, d.WSURL(), network(d)), never))
	})
}

// notified waits until the watcher has reported all these senders.
func notified(t *testing.T, changes <-chan common.Address, senders ...common.Address) {
	t.Helper()
	left := make(map[common.Address]bool)
	for _, sender := range senders {
		left[sender] = true
	}
	for len(left) > 0 {
		delete(left, receive(t, changes))
	}
}

func hasDeposit(t *testing.T, watcher *chain.Watcher, who common.Address, amount string) {
	t.Helper()
	info, err := watcher.GetSenderInfo(who)
	require.NoError(t, err)
	require.Equal(t, ether(t, amount).String(), info.Deposit.String())
}

// TestWatcherReorg undoes an event and adds none.
func TestWatcherReorg(t *testing.T) {
	each(t, devnet.Config{RoundLength: 1000}, func(t *testing.T, d *devnet.Devnet, client *chain.Client, watcher *chain.Watcher) {
		changes := make(chan common.Address)
		defer watcher.SubscribeReserveChange(changes).Unsubscribe()
		acts, who := account(t, d, client, 0)
		broker, err := chain.NewBroker(t.Context(), client, acts)
		require.NoError(t, err)
		done(t, broker)(broker.FundDeposit(ether(t, "1eth")))
		notified(t, changes, who)
		hasDeposit(t, watcher, who, "1eth")
		done(t, broker)(broker.FundDeposit(ether(t, "2eth")))
		notified(t, changes, who)
		hasDeposit(t, watcher, who, "3eth")

		require.NoError(t, d.Reorg(t.Context(), 1))
		notified(t, changes, who)
		hasDeposit(t, watcher, who, "1eth")
		done(t, broker)(broker.FundDeposit(ether(t, "5eth")))
		notified(t, changes, who)
		hasDeposit(t, watcher, who, "6eth")
	})
}

// TestWatcherDeepReorg replaces more blocks than are read again: the undone events can no
// longer be found.
func TestWatcherDeepReorg(t *testing.T) {
	each(t, devnet.Config{RoundLength: 1000}, func(t *testing.T, d *devnet.Devnet, client *chain.Client, watcher *chain.Watcher) {
		changes, blocks := make(chan common.Address), make(chan *big.Int)
		defer watcher.SubscribeReserveChange(changes).Unsubscribe()
		defer watcher.SubscribeL1Blocks(blocks).Unsubscribe()
		acts, who := account(t, d, client, 0)
		broker, err := chain.NewBroker(t.Context(), client, acts)
		require.NoError(t, err)
		done(t, broker)(broker.FundDeposit(ether(t, "1eth")))
		notified(t, changes, who)
		require.NoError(t, d.Mine(t.Context(), 80))
		reaches(t, watcher, blocks, head(t, client).L1Block)
		hasDeposit(t, watcher, who, "1eth")

		require.NoError(t, d.Reorg(t.Context(), 81))
		notified(t, changes, who)
		reaches(t, watcher, blocks, head(t, client).L1Block)
		hasDeposit(t, watcher, who, "0wei")
		done(t, broker)(broker.FundDeposit(ether(t, "2eth")))
		notified(t, changes, who)
		hasDeposit(t, watcher, who, "2eth")
	})
}

// TestWatcherReorgOfARound begins a round again with another hash, and then not at all.
func TestWatcherReorgOfARound(t *testing.T) {
	each(t, devnet.Config{RoundLength: 50}, func(t *testing.T, d *devnet.Devnet, client *chain.Client, watcher *chain.Watcher) {
		rounds, blocks := make(chan types.Log), make(chan *big.Int)
		defer watcher.SubscribeRounds(rounds).Unsubscribe()
		defer watcher.SubscribeL1Blocks(blocks).Unsubscribe()
		first := watcher.LastInitializedRound()
		require.NoError(t, d.NextRound(t.Context(), 1))
		begun := receive(t, rounds)
		second := begun.Topics[1].Big()
		require.Equal(t, new(big.Int).Add(first, big.NewInt(1)), second)
		require.Equal(t, [32]byte(begun.Data), watcher.LastInitializedL1BlockHash())

		// In another block it is still the same beginning, and not reported.
		require.NoError(t, d.Reorg(t.Context(), 1))
		reaches(t, watcher, blocks, head(t, client).L1Block)
		require.Equal(t, second, watcher.LastInitializedRound())

		// The block before is different, and so is its hash.
		require.NoError(t, d.Reorg(t.Context(), 3))
		again := receive(t, rounds)
		require.Equal(t, second, again.Topics[1].Big())
		require.NotEqual(t, begun.Data, again.Data)
		reaches(t, watcher, blocks, head(t, client).L1Block)
		require.Equal(t, [32]byte(again.Data), watcher.LastInitializedL1BlockHash())

		d.SetKeepRounds(false)
		require.NoError(t, d.Reorg(t.Context(), 4))
		reaches(t, watcher, blocks, head(t, client).L1Block)
		require.Equal(t, first, watcher.LastInitializedRound())
		require.NotEqual(t, [32]byte(again.Data), watcher.LastInitializedL1BlockHash())
		facts, err := client.Facts(t.Context(), common.Address{})
		require.NoError(t, err)
		require.Equal(t, pm.Facts{
			LastSeenL1Block:               watcher.LastSeenL1Block(),
			LastInitializedRound:          watcher.LastInitializedRound(),
			LastInitializedL1BlockHash:    watcher.LastInitializedL1BlockHash(),
			PreLastInitializedL1BlockHash: watcher.PreLastInitializedL1BlockHash(),
			Sender:                        facts.Sender,
		}, facts)

		// It begins at last. In between there was nothing to report.
		d.SetKeepRounds(true)
		require.NoError(t, d.Mine(t.Context(), 1))
		require.Equal(t, second, receive(t, rounds).Topics[1].Big())
		require.NoError(t, d.NextRound(t.Context(), 1))
		require.Equal(t, new(big.Int).Add(second, big.NewInt(1)), receive(t, rounds).Topics[1].Big())
	})
}

// TestWatcherReorgOfTheUnseen replaces a block that the watcher has not read yet, and at which
// it has read a sender's funds.
func TestWatcherReorgOfTheUnseen(t *testing.T) {
	d, client := start(t, devnet.Config{RoundLength: 1000})
	var behind atomic.Bool
	through := dial(t, proxy(t, d, func(req request) (*answer, error) {
		if behind.Load() && req.Method == "eth_getLogs" {
			return nil, errAway
		}
		return nil, nil
	}), network(d))
	watcher := watch(t, through, 5*time.Millisecond)
	blocks := make(chan *big.Int)
	defer watcher.SubscribeL1Blocks(blocks).Unsubscribe()
	acts, who := account(t, d, client, 0)
	broker, err := chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)

	behind.Store(true)
	done(t, broker)(broker.FundDeposit(ether(t, "1eth")))
	hasDeposit(t, watcher, who, "1eth")
	require.NoError(t, d.Reorg(t.Context(), 1))
	behind.Store(false)
	reaches(t, watcher, blocks, head(t, client).L1Block)
	hasDeposit(t, watcher, who, "0wei")
}

// TestWatcherBehindALaggingNode reads an older head than before, as from a lagging node of
// several. Earlier events are not reported again.
func TestWatcherBehindALaggingNode(t *testing.T) {
	d, client := start(t, devnet.Config{RoundLength: 1000})
	node, err := rpc.Dial(d.RPCURL())
	require.NoError(t, err)
	defer node.Close()
	var lag atomic.Uint64
	through := dial(t, proxy(t, d, func(req request) (*answer, error) {
		if lag.Load() == 0 || req.Method != "eth_getBlockByNumber" || string(req.Params[0]) != `"latest"` {
			return nil, nil
		}
		var newest hexutil.Uint64
		var older json.RawMessage
		if err := node.Call(&newest, "eth_blockNumber"); err != nil {
			return nil, err
		}
		err := node.Call(&older, "eth_getBlockByNumber", newest-hexutil.Uint64(lag.Load()), false)
		return &answer{Result: older}, err
	}), network(d))
	watcher := watch(t, through, 5*time.Millisecond)
	blocks, changes := make(chan *big.Int), make(chan common.Address)
	defer watcher.SubscribeL1Blocks(blocks).Unsubscribe()
	defer watcher.SubscribeReserveChange(changes).Unsubscribe()
	acts, who := account(t, d, client, 0)
	broker, err := chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)
	done(t, broker)(broker.FundDeposit(ether(t, "1eth")))
	require.Equal(t, who, receive(t, changes))
	// At the newest head the event is too old to be read again, at the older one it is not.
	require.NoError(t, d.Mine(t.Context(), 70))
	newest := head(t, client).L1Block
	reaches(t, watcher, blocks, newest)
	hasDeposit(t, watcher, who, "1eth")
	for range 3 {
		lag.Store(10)
		reaches(t, watcher, blocks, newest-10)
		lag.Store(0)
		reaches(t, watcher, blocks, newest)
	}
	acts, other := account(t, d, client, 1)
	broker, err = chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)
	done(t, broker)(broker.FundDeposit(ether(t, "1eth")))
	require.Equal(t, other, receive(t, changes))
}
