package chain_test

import (
	"encoding/json"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestEachNodeIsAsked which transaction used a nonce, and each answer is reported.
func TestEachNodeIsAsked(t *testing.T) {
	d, client := start(t, devnet.Config{})
	acting, address := account(t, d, client, 0)
	broker := d.Contracts()["TicketBroker"]
	var sent []common.Hash
	for range 4 {
		signed, err := acting.Send(t.Context(), broker, wei.FromUint64(1), contract.NewTicketBroker().PackFundDeposit())
		require.NoError(t, err)
		_, err = acting.Wait(t.Context(), signed.Hash())
		require.NoError(t, err)
		sent = append(sent, signed.Hash())
		require.NoError(t, d.Mine(t.Context(), uint64(len(sent)))) // blocks without transactions
	}
	for nonce, hash := range sent {
		uses := client.NonceUses(t.Context(), address, uint64(nonce))
		require.Len(t, uses, 1)
		require.NoError(t, uses[0].Err)
		require.True(t, uses[0].Used)
		require.Equal(t, hash, uses[0].Tx.Hash())
		receipt, err := client.TransactionReceipt(t.Context(), hash)
		require.NoError(t, err)
		require.Equal(t, receipt.BlockNumber.Uint64(), uses[0].Block)
	}

	block := func(transactions ...any) map[string]any {
		return map[string]any{"number": "0x1", "hash": common.Hash{1}, "timestamp": "0x1", "transactions": transactions}
	}
	empty := proxy(t, d, func(req request) (*answer, error) {
		if req.Method == "eth_getBlockByNumber" && string(req.Params[0]) != `"latest"` {
			return &answer{Result: block()}, nil
		}
		return nil, nil
	})
	// A node that reports another account's transaction as this one's.
	lying := proxy(t, d, func(req request) (*answer, error) {
		if req.Method != "eth_getBlockByNumber" || string(req.Params[0]) == `"latest"` {
			return nil, nil
		}
		other, _ := account(t, d, client, 1)
		signed, err := other.Send(t.Context(), broker, wei.FromUint64(7), contract.NewTicketBroker().PackFundDeposit())
		require.NoError(t, err)
		raw, err := signed.MarshalJSON()
		require.NoError(t, err)
		var fields map[string]any
		require.NoError(t, json.Unmarshal(raw, &fields))
		fields["from"], fields["nonce"] = address, "0x1"
		return &answer{Result: block(fields)}, nil
	})
	pruned := proxy(t, d, func(req request) (*answer, error) {
		if req.Method == "eth_getTransactionCount" && string(req.Params[1]) != `"latest"` {
			return &answer{Error: &nodeError{Code: -32000, Message: "missing trie node"}}, nil
		}
		return nil, nil
	})
	behind := proxy(t, d, func(req request) (*answer, error) {
		if req.Method == "eth_getTransactionCount" {
			return &answer{Result: "0x1"}, nil
		}
		return nil, nil
	})
	elsewhere := proxy(t, d, func(req request) (*answer, error) {
		if req.Method == "eth_chainId" {
			return &answer{Result: "0x1"}, nil
		}
		return nil, nil
	})
	several, err := chain.Dial(t.Context(), d.RPCURL(), network(d), empty, lying, pruned, behind, elsewhere)
	require.NoError(t, err)
	t.Cleanup(several.Close)
	uses := several.NonceUses(t.Context(), address, 1)
	require.Len(t, uses, 6)
	require.Equal(t, sent[1], uses[0].Tx.Hash())
	for i, c := range []struct {
		used bool
		says string
	}{{used: true, says: "has no transaction of the account with nonce 1"}, {used: true, says: "has no transaction of the account with nonce 1"}, {used: true, says: "missing trie node"}, {}, {says: "serves chain ID 1"}} {
		use := uses[i+1]
		require.Equal(t, c.used, use.Used, i)
		require.Nil(t, use.Tx, i)
		if c.says == "" {
			require.NoError(t, use.Err, i)
			continue
		}
		require.ErrorContains(t, use.Err, c.says, i)
	}
}
