package model

import (
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// beside is a devnet, with the model's node on a ledger that ran the same blocks.
type beside struct {
	t      *testing.T
	net    *devnet.Devnet
	node   *node
	broker common.Address
}

func (b *beside) replay() {
	b.t.Helper()
	l, err := replay(b.t.Context(), b.net, rulesOf(b.net.ChainID()))
	require.NoError(b.t, err)
	b.node = &node{name: "model", ledger: l, pool: pool{}}
}

// sign is a transaction of the devnet's account.
func (b *beside) sign(nonce uint64, value int64, data []byte, change func(*types.DynamicFeeTx)) hexutil.Bytes {
	b.t.Helper()
	tx := &types.DynamicFeeTx{
		ChainID: b.net.ChainID(), Nonce: nonce, To: &b.broker, Value: big.NewInt(value), Data: data,
		GasTipCap: big.NewInt(params.GWei), GasFeeCap: big.NewInt(10 * params.GWei), Gas: 200_000,
	}
	if change != nil {
		change(tx)
	}
	signed, err := types.SignNewTx(b.net.Accounts()[0].Key, types.LatestSignerForChainID(b.net.ChainID()), tx)
	require.NoError(b.t, err)
	raw, err := signed.MarshalBinary()
	require.NoError(b.t, err)
	return raw
}

// answers are the devnet's and the model's: a result in JSON, or an error.
func (b *beside) answers(method string, args ...any) (theirs, ours any) {
	b.t.Helper()
	var raw json.RawMessage
	err := b.net.Client().Client().CallContext(b.t.Context(), &raw, method, args...)
	theirs = anything(b.t, raw)
	if err != nil {
		answer := &rpcError{Message: err.Error()}
		var coded rpc.Error
		if errors.As(err, &coded) {
			answer.Code = coded.ErrorCode()
		}
		var more rpc.DataError
		if errors.As(err, &more) {
			answer.Data = more.ErrorData()
		}
		theirs = answer
	}
	req := rpcRequest{Method: method}
	for _, arg := range args {
		text, err := json.Marshal(arg)
		require.NoError(b.t, err)
		req.Params = append(req.Params, text)
	}
	result, err := b.node.answer(req, sendTaken, "")
	var known *rpcError
	if errors.As(err, &known) {
		return theirs, known
	}
	require.NoError(b.t, err)
	text, err := json.Marshal(result)
	require.NoError(b.t, err)
	return theirs, anything(b.t, text)
}

func anything(t *testing.T, text []byte) (value any) {
	t.Helper()
	if len(text) > 0 {
		require.NoError(t, json.Unmarshal(text, &value))
	}
	return value
}

// same asks both, and compares the answers as far as the model implements them.
func (b *beside) same(method string, args ...any) {
	b.t.Helper()
	theirs, ours := b.answers(method, args...)
	require.Equal(b.t, ours, shared(theirs, ours), method)
}

// shared is the common part of two answers: of objects, the fields of the second.
func shared(theirs, ours any) any {
	switch ours := ours.(type) {
	case map[string]any:
		theirs, ok := theirs.(map[string]any)
		if !ok {
			return theirs
		}
		both := make(map[string]any)
		for name := range ours {
			both[name] = shared(theirs[name], ours[name])
		}
		return both
	case []any:
		theirs, ok := theirs.([]any)
		if !ok || len(theirs) != len(ours) {
			return theirs
		}
		both := make([]any, len(ours))
		for i := range ours {
			both[i] = shared(theirs[i], ours[i])
		}
		return both
	}
	return theirs
}

// TestTheModelsNodesAreTheDevnets: a good node of the model answers as the devnet's node,
// whatever pmctl asks.
func TestTheModelsNodesAreTheDevnets(t *testing.T) {
	d, err := devnet.Start(t.Context(), devnet.Config{Accounts: 1, RoundLength: roundLength, UnlockPeriod: unlockPeriod})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	b := &beside{t: t, net: d, broker: d.Contracts()["TicketBroker"]}
	account, broker := d.Accounts()[0].Address, contract.NewTicketBroker()
	fund := broker.PackFundDepositAndReserve(big.NewInt(5), big.NewInt(2))

	var sent []common.Hash
	send := func(raw hexutil.Bytes) {
		t.Helper()
		var hash common.Hash
		require.NoError(t, d.Client().Client().CallContext(t.Context(), &hash, "eth_sendRawTransaction", raw))
		sent = append(sent, hash)
	}
	send(b.sign(0, 7, fund, nil))
	send(b.sign(1, 8, fund, nil)) // reverts
	send(b.sign(2, 0, broker.PackUnlock(), nil))
	require.NoError(t, d.NextRound(t.Context(), 2))
	send(b.sign(3, 0, broker.PackWithdraw(), nil))
	b.replay()

	for _, hash := range append(sent, common.Hash{1}) {
		b.same("eth_getTransactionReceipt", hash)
		b.same("eth_getTransactionByHash", hash)
	}
	signature := crypto.Keccak256Hash([]byte("Unlock(address,uint256,uint256)"))
	for _, topics := range [][]any{nil, {signature}, {nil, common.BytesToHash(account.Bytes())}, {[]common.Hash{signature, {1}}}, {common.Hash{1}}} {
		query := map[string]any{"fromBlock": "0x2", "toBlock": "latest", "address": b.broker}
		if topics != nil {
			query["topics"] = topics
		}
		b.same("eth_getLogs", query)
	}
	b.same("eth_chainId")
	b.same("eth_blockNumber")
	for _, at := range []string{"latest", "0x1", "0x2", "0xffffff"} {
		b.same("eth_getBlockByNumber", at, false)
		b.same("eth_getBlockByNumber", at, true)
		b.same("eth_getBalance", account, at)
		b.same("eth_getTransactionCount", account, at)
		b.same("eth_getCode", b.broker, at)
	}
	b.same("eth_getTransactionCount", account, "pending")
	call := func(from common.Address, value int64, data []byte) map[string]any {
		return map[string]any{"from": from, "to": b.broker, "value": (*hexutil.Big)(big.NewInt(value)), "input": hexutil.Bytes(data)}
	}
	for _, data := range [][]byte{broker.PackGetSenderInfo(account), broker.PackUnlockPeriod(), broker.PackWithdraw(), fund} {
		for _, value := range []int64{0, 7} {
			b.same("eth_call", call(account, value, data), "latest")
			theirs, ours := b.answers("eth_estimateGas", call(account, value, data), "latest")
			if _, ok := theirs.(string); !ok {
				require.Equal(t, theirs, ours)
				continue
			}
			least, most := number(t, theirs), number(t, ours)
			require.InEpsilon(t, least, most, 0.05)
		}
	}

	// The pool's answers.
	require.NoError(t, d.SetAutomine(t.Context(), false))
	dearer := func(times int64) func(*types.DynamicFeeTx) {
		return func(tx *types.DynamicFeeTx) {
			tx.GasTipCap = new(big.Int).Quo(new(big.Int).Mul(tx.GasTipCap, big.NewInt(times)), big.NewInt(100))
			tx.GasFeeCap = new(big.Int).Quo(new(big.Int).Mul(tx.GasFeeCap, big.NewInt(times)), big.NewInt(100))
		}
	}
	const allThere = 1_000_000_000_000_000_000
	for _, raw := range []hexutil.Bytes{
		b.sign(3, 7, fund, nil),         // too low
		b.sign(4, 7, fund, nil),         // taken
		b.sign(4, 7, fund, nil),         // known
		b.sign(4, 7, fund, dearer(109)), // too low a price
		b.sign(4, 7, fund, dearer(110)), // replaces it
		b.sign(5, 7, fund, func(tx *types.DynamicFeeTx) { tx.Value.Mul(big.NewInt(allThere), big.NewInt(2000)) }),
		b.sign(7, 7, fund, nil), // beyond a gap
	} {
		b.same("eth_sendRawTransaction", raw)
		// go-ethereum's pool may count a transaction a moment after it has taken it.
		require.Eventually(t, func() bool {
			theirs, ours := b.answers("eth_getTransactionCount", account, "pending")
			return theirs == ours
		}, time.Minute, time.Millisecond)
	}
}

func number(t *testing.T, quantity any) uint64 {
	t.Helper()
	text, ok := quantity.(string)
	require.True(t, ok, "%v", quantity)
	n, err := hexutil.DecodeUint64(text)
	require.NoError(t, err)
	return n
}
