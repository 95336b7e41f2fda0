package nodes_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/clock/clocktest"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
)

// TestTheTimeEndsBetweenTwoRounds: the node's answer is not lost if the context ends before the
// next round, as it may on a busy machine.
func TestTheTimeEndsBetweenTwoRounds(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.Error(w, "slow down", http.StatusTooManyRequests)
	}))
	t.Cleanup(server.Close)
	dial := func(answered func(nodes.Exchange)) *nodes.Client {
		client, err := nodes.Dial(t.Context(), nodes.Network{ID: 1}, server.URL)
		require.NoError(t, err)
		t.Cleanup(client.Close)
		client.Trace(answered)
		return client
	}
	short, pass := clocktest.Deadline(t.Context())
	_, err := dial(func(nodes.Exchange) { pass() }).Head(short)
	var said *nodes.NodeError
	require.ErrorAs(t, err, &said)
	require.Equal(t, nodes.FaultBusy, said.Fault)
	require.Equal(t, "slow down", said.Words)
	require.EqualValues(t, 1, asked.Load())

	cancelled, cancel := context.WithCancel(t.Context())
	_, err = dial(func(nodes.Exchange) { cancel() }).Head(cancelled)
	require.ErrorIs(t, err, context.Canceled)
}

// TestAnErrorWithoutAMessage still says something.
func TestAnErrorWithoutAMessage(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32000}}`))
	}))
	t.Cleanup(server.Close)
	client, err := nodes.Dial(t.Context(), nodes.Network{ID: 1}, server.URL)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	var result string
	require.ErrorContains(t, client.Get(t.Context(), &result, "eth_gasPrice"), "error -32000 without a message")
}
