package devnet_test

import (
	"net/http"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestReorg replaces blocks: their transactions are dropped, the contracts' state with them,
// and the network continues from there.
func TestReorg(t *testing.T) {
	w := newWorld(t, devnet.Config{RoundLength: 1000})
	ctx := t.Context()
	kept := w.do(w.sender, milli(1), "fundDeposit")
	dropped := w.do(w.sender, milli(2), "fundDeposit")
	require.NoError(t, w.net.Mine(ctx, 1))
	before, err := w.eth.BlockByNumber(ctx, nil)
	require.NoError(t, err)

	require.NoError(t, w.net.Reorg(ctx, 2))
	after, err := w.eth.BlockByNumber(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, before.NumberU64()+1, after.NumberU64())
	replaced, err := w.eth.HeaderByNumber(ctx, before.Number())
	require.NoError(t, err)
	require.NotEqual(t, before.Hash(), replaced.Hash())
	_, err = w.eth.TransactionReceipt(ctx, dropped.TxHash)
	require.ErrorIs(t, err, ethereum.NotFound)
	_, err = w.eth.TransactionReceipt(ctx, kept.TxHash)
	require.NoError(t, err)
	nonce, err := w.eth.PendingNonceAt(ctx, w.sender.Address)
	require.NoError(t, err)
	require.EqualValues(t, 1, nonce)
	require.Equal(t, types.ReceiptStatusSuccessful, w.do(w.sender, milli(2), "fundDeposit").Status)

	// Pending transactions are dropped as well.
	require.NoError(t, w.net.SetAutomine(ctx, false))
	waits := w.transfer(0)
	require.NoError(t, w.eth.SendTransaction(ctx, waits))
	code, status, message := w.control("POST", "/reorg")
	require.Equal(t, http.StatusOK, code, message)
	require.Equal(t, after.NumberU64()+2, status.Block)
	_, _, err = w.eth.TransactionByHash(ctx, waits.Hash())
	require.ErrorIs(t, err, ethereum.NotFound)
}

// TestReorgOfARound undoes a round's beginning and begins it again.
func TestReorgOfARound(t *testing.T) {
	w := newWorld(t, devnet.Config{RoundLength: 10})
	ctx := t.Context()
	require.NoError(t, w.net.NextRound(ctx, 9))
	require.NoError(t, w.net.Reorg(ctx, 1))
	require.EqualValues(t, 10, w.status().LastInitializedRound)
	w.net.SetKeepRounds(false)
	// Further back than 64 blocks, and past what counted as final.
	require.NoError(t, w.net.Reorg(ctx, 70))
	require.EqualValues(t, 3, w.status().LastInitializedRound)
	w.net.SetKeepRounds(true)
	require.NoError(t, w.net.Mine(ctx, 1))
	require.EqualValues(t, 10, w.status().LastInitializedRound)
}

func TestReorgSparesTheContracts(t *testing.T) {
	w := newWorld(t, devnet.Config{})
	require.NoError(t, w.net.Mine(t.Context(), 3))
	before := w.status()
	require.ErrorContains(t, w.net.Reorg(t.Context(), 0), "the last 3 can")
	require.ErrorContains(t, w.net.Reorg(t.Context(), 4), "the last 3 can")
	code, _, _ := w.control("POST", "/reorg?blocks=4")
	require.Equal(t, http.StatusBadRequest, code)
	require.Equal(t, before, w.status())
	require.NoError(t, w.net.Reorg(t.Context(), 3))
}
