package devnet_test

import (
	"context"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

func (w *world) status() devnet.Status {
	w.t.Helper()
	status, err := w.net.Status(w.t.Context())
	require.NoError(w.t, err)
	return status
}

func (w *world) transfer(ahead uint64) *types.Transaction {
	w.t.Helper()
	return w.sign(w.sender, ethereum.CallMsg{To: &w.other.Address, Value: big.NewInt(1)}, ahead)
}

func TestMiningOnDemand(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	ctx := t.Context()
	require.EqualValues(t, 1, w.status().Block)

	require.NoError(t, w.eth.SendTransaction(ctx, w.transfer(0)))
	require.EqualValues(t, 2, w.status().Block, "one transaction, one block")

	gap := w.transfer(1)
	require.NoError(t, w.eth.SendTransaction(ctx, gap))
	require.EqualValues(t, 2, w.status().Block, "a transaction that cannot be mined yet makes no block")
	require.NoError(t, w.eth.SendTransaction(ctx, w.transfer(0)))
	require.EqualValues(t, 3, w.status().Block)
	_, err := w.eth.TransactionReceipt(ctx, gap.Hash())
	require.NoError(t, err, "the gap is closed")

	require.NoError(t, w.net.SetAutomine(ctx, false))
	tx := w.transfer(0)
	require.NoError(t, w.eth.SendTransaction(ctx, tx))
	_, err = w.eth.TransactionReceipt(ctx, tx.Hash())
	require.ErrorIs(t, err, ethereum.NotFound)
	require.NoError(t, w.net.SetAutomine(ctx, true))
	receipt, err := w.eth.TransactionReceipt(ctx, tx.Hash())
	require.NoError(t, err, "pending transactions are mined")
	require.EqualValues(t, 4, receipt.BlockNumber.Int64())
}

func TestManySendersAtOnce(t *testing.T) {
	w := newWorld(t, devnet.Config{Accounts: 8})
	var txs []*types.Transaction
	for _, account := range w.net.Accounts() {
		for i := range uint64(5) {
			txs = append(txs, w.sign(account, ethereum.CallMsg{To: &w.other.Address, Value: big.NewInt(1)}, i))
		}
	}
	var group errgroup.Group
	for _, tx := range txs {
		group.Go(func() error { return w.eth.SendTransaction(t.Context(), tx) })
	}
	require.NoError(t, group.Wait())
	for _, tx := range txs {
		_, err := w.eth.TransactionReceipt(t.Context(), tx.Hash())
		require.NoError(t, err)
	}
}

func TestBlockTime(t *testing.T) {
	w := newWorld(t, devnet.Config{BlockTime: 20 * time.Millisecond})
	heads := make(chan *types.Header, 100)
	ws, err := ethclient.DialContext(t.Context(), w.net.WSURL())
	require.NoError(t, err)
	defer ws.Close()
	subscription, err := ws.SubscribeNewHead(t.Context(), heads)
	require.NoError(t, err)
	defer subscription.Unsubscribe()

	tx := w.transfer(0)
	require.NoError(t, w.eth.SendTransaction(t.Context(), tx))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 3 {
		select {
		case <-heads:
		case <-ctx.Done():
			t.Fatal("no blocks")
		}
	}
	_, err = w.eth.TransactionReceipt(t.Context(), tx.Hash())
	require.NoError(t, err)
	require.False(t, w.status().Automine)
}

func TestRoundsGoOnByThemselves(t *testing.T) {
	w := newWorld(t, devnet.Config{RoundLength: 10})
	for range 35 {
		require.NoError(t, w.net.Mine(t.Context(), 1))
		status := w.status()
		require.Equal(t, 1+(status.Block-1)/10, status.Round)
		require.Equal(t, status.Round, status.LastInitializedRound, "never seen uninitialized")
		require.EqualValues(t, status.Round, w.number(contracts.RoundsManager, "currentRound").Uint64())
		require.EqualValues(t, 1+(status.Round-1)*10, w.number(contracts.RoundsManager, "currentRoundStartBlock").Uint64())
	}
	// A round's hash is that of the block before its first.
	block, err := w.eth.BlockByNumber(t.Context(), big.NewInt(20))
	require.NoError(t, err)
	require.EqualValues(t, block.Hash(), w.view(contracts.RoundsManager, "blockHashForRound", big.NewInt(3))[0])
	require.Equal(t, [32]byte{}, w.view(contracts.RoundsManager, "blockHashForRound", big.NewInt(99))[0])

	// A user's transaction in a round's first block finds it initialized.
	require.NoError(t, w.net.NextRound(t.Context(), 1))
	require.NoError(t, w.net.Mine(t.Context(), 9))
	require.NoError(t, w.net.AddTranscoder(t.Context(), w.other.Address))
	status := w.status()
	require.Equal(t, status.Round, status.LastInitializedRound)
}

func TestNextRound(t *testing.T) {
	for _, manual := range []bool{false, true} {
		w := newWorld(t, devnet.Config{RoundLength: 7, ManualRounds: manual})
		require.NoError(t, w.net.Mine(t.Context(), 3))
		require.NoError(t, w.net.NextRound(t.Context(), 3))
		status := w.status()
		require.EqualValues(t, 4, status.Round)
		require.EqualValues(t, 4, status.LastInitializedRound)
		require.EqualValues(t, 1+3*7, status.Block)

		w.pause(true)
		require.ErrorIs(t, w.net.NextRound(t.Context(), 1), devnet.ErrPaused)
	}
}

func TestManualRounds(t *testing.T) {
	w := newWorld(t, devnet.Config{RoundLength: 5, ManualRounds: true})
	require.NoError(t, w.net.Mine(t.Context(), 12))
	require.EqualValues(t, 1, w.status().LastInitializedRound)
	require.Equal(t, false, w.view(contracts.RoundsManager, "currentRoundInitialized")[0])

	receipt := w.send(w.sender, w.message(w.sender.Address, nil, contracts.RoundsManager, "initializeRound"))
	require.Equal(t, types.ReceiptStatusSuccessful, receipt.Status)
	require.EqualValues(t, 3, w.status().LastInitializedRound)
	require.Len(t, w.events(receipt), 1)
}

func TestRoundBeginsWhilePaused(t *testing.T) {
	w := newWorld(t, devnet.Config{RoundLength: 10})
	w.pause(true)
	w.pause(true) // again is no error
	require.NoError(t, w.net.Mine(t.Context(), 10))
	status := w.status()
	require.True(t, status.Paused)
	require.EqualValues(t, 2, status.Round)
	require.EqualValues(t, 1, status.LastInitializedRound)

	w.pause(false)
	status = w.status()
	require.False(t, status.Paused)
	require.EqualValues(t, 2, status.LastInitializedRound, "initialized at once")
}

func TestMiningStopsWithItsContext(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, w.net.Mine(ctx, 1_000_000), context.Canceled)
	require.ErrorIs(t, w.net.NextRound(ctx, 1), context.Canceled)
	require.EqualValues(t, 1, w.status().Block)
}

// However much others pay, a round is initialized before their transactions in its first block:
// a redemption there would fail otherwise.
func TestARoundIsInitializedBeforeOthers(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	ctx := t.Context()
	require.NoError(t, w.net.SetAutomine(ctx, false))
	require.NoError(t, w.net.NextRound(ctx, 1))
	require.NoError(t, w.net.Mine(ctx, devnet.DefaultRoundLength-1))
	const generous = 1000_000_000_000
	sent, err := types.SignNewTx(w.sender.Key, types.LatestSignerForChainID(w.net.ChainID()), &types.DynamicFeeTx{
		ChainID: w.net.ChainID(), To: &w.other.Address, Gas: 21_000,
		GasTipCap: big.NewInt(generous), GasFeeCap: big.NewInt(2 * generous),
	})
	require.NoError(t, err)
	require.NoError(t, w.eth.SendTransaction(ctx, sent))
	require.NoError(t, w.net.Mine(ctx, 1))
	block, err := w.eth.BlockByNumber(ctx, nil)
	require.NoError(t, err)
	require.Len(t, block.Transactions(), 2)
	require.Equal(t, w.net.Contracts()[contracts.RoundsManager], *block.Transactions()[0].To())
	require.Equal(t, sent.Hash(), block.Transactions()[1].Hash())
}
