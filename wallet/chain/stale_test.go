package chain_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestFactsOfANodeThatIsBehind: for a node that has stopped, params never expire.
func TestFactsOfANodeThatIsBehind(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	node, err := rpc.Dial(d.RPCURL())
	require.NoError(t, err)
	t.Cleanup(node.Close)
	old := time.Now().Add(-time.Hour).Unix()
	stopped := proxy(t, d, func(req request) (*answer, error) {
		if req.Method != "eth_getBlockByNumber" {
			return nil, nil
		}
		said := ask(t.Context(), node, req)
		block := make(map[string]any)
		raw, err := json.Marshal(said.Result)
		if err == nil {
			err = json.Unmarshal(raw, &block)
		}
		block["timestamp"] = hexutil.Uint64(old)
		return &answer{Result: block}, err
	})
	live := network(d)
	live.MaxHeadAge = time.Minute
	_, err = dial(t, stopped, live).Facts(t.Context(), common.Address{})
	var stale *chain.StaleError
	require.ErrorAs(t, err, &stale)
	require.ErrorIs(t, err, chain.ErrUnreachable)
	require.InDelta(t, time.Hour, stale.Age, float64(time.Minute))

	_, err = dial(t, stopped, network(d)).Facts(t.Context(), common.Address{})
	require.NoError(t, err, "the local network makes blocks on demand")
	require.NoError(t, d.Mine(t.Context(), 1))
	_, err = dial(t, d.RPCURL(), live).Facts(t.Context(), common.Address{})
	require.NoError(t, err)
}
