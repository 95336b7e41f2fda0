package devnet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

// l1Of is the raw text of l1BlockNumber, "" where there is none.
func l1Of(t *testing.T, object json.RawMessage) string {
	t.Helper()
	var fields map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(object, &fields))
	require.NotEmpty(t, fields["number"], "not a block: %s", object)
	return string(fields["l1BlockNumber"])
}

func TestL1BlockNumber(t *testing.T) {
	for _, c := range []struct {
		name   string
		cfg    devnet.Config
		id     uint64
		l1     func(number uint64) string
		offset uint64
	}{
		{"plain", devnet.Config{}, 1337, func(uint64) string { return "" }, 0},
		{"hex", devnet.Config{Arbitrum: true}, 412346,
			func(n uint64) string { return fmt.Sprintf(`"0x%x"`, n+300_000_000) }, 300_000_000},
		{"number", devnet.Config{Arbitrum: true, L1Numbers: devnet.L1Number}, 412346,
			func(n uint64) string { return fmt.Sprint(n + 300_000_000) }, 300_000_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.cfg)
			ctx := t.Context()
			id, err := w.eth.ChainID(ctx)
			require.NoError(t, err)
			require.Equal(t, c.id, id.Uint64())
			network, err := w.eth.NetworkID(ctx)
			require.NoError(t, err)
			require.Equal(t, c.id, network.Uint64())

			client, err := rpc.DialContext(ctx, w.net.WSURL())
			require.NoError(t, err)
			defer client.Close()
			heads := make(chan json.RawMessage, 10)
			subscription, err := client.EthSubscribe(ctx, heads, "newHeads")
			require.NoError(t, err)
			defer subscription.Unsubscribe()
			require.NoError(t, w.net.Mine(ctx, 2))

			latest, err := w.eth.HeaderByNumber(ctx, nil)
			require.NoError(t, err, "the header still decodes")
			require.EqualValues(t, 3, latest.Number.Uint64())
			for _, query := range []struct {
				method string
				args   []any
				number uint64
			}{
				{"eth_getBlockByNumber", []any{"latest", false}, 3},
				{"eth_getBlockByNumber", []any{"0x2", true}, 2},
				{"eth_getBlockByNumber", []any{"earliest", false}, 0},
				{"eth_getBlockByNumber", []any{"pending", false}, 4},
				{"eth_getBlockByHash", []any{latest.Hash(), false}, 3},
				{"eth_getHeaderByNumber", []any{"latest"}, 3},
				{"eth_getHeaderByHash", []any{latest.Hash()}, 3},
			} {
				var answer json.RawMessage
				require.NoError(t, client.CallContext(ctx, &answer, query.method, query.args...))
				require.Equal(t, c.l1(query.number), l1Of(t, answer), query.method)
			}
			var none json.RawMessage
			require.NoError(t, client.CallContext(ctx, &none, "eth_getBlockByNumber", "0xffff", false))
			require.Equal(t, "null", string(none))

			wait, cancel := context.WithTimeout(ctx, 20*time.Second)
			defer cancel()
			for number := uint64(2); number <= 3; number++ {
				select {
				case head := <-heads:
					require.Equal(t, c.l1(number), l1Of(t, head))
					var header types.Header
					require.NoError(t, json.Unmarshal(head, &header))
					require.Equal(t, number, header.Number.Uint64())
				case <-wait.Done():
					t.Fatal("no new head")
				}
			}

			// The contracts count by the same number.
			require.EqualValues(t, 3+c.offset, w.number(contracts.RoundsManager, "blockNum").Uint64())
			require.EqualValues(t, 1+c.offset, w.number(contracts.RoundsManager, "currentRoundStartBlock").Uint64())
			require.EqualValues(t, 3+c.offset, w.status().L1Block)
			require.EqualValues(t, 3, w.status().Block)
			w.rounds(2)
			require.EqualValues(t, 3, w.number(contracts.RoundsManager, "currentRound").Uint64())
		})
	}
}
