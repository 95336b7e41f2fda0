package chain_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestBlocksAreAskedForAtTheSameTime: each request for many blocks waits for the others.
func TestBlocksAreAskedForAtTheSameTime(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	node, err := url.Parse(d.RPCURL())
	require.NoError(t, err)
	var others sync.WaitGroup
	others.Add(3)
	forward := httputil.NewSingleHostReverseProxy(node)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		others.Done()
		others.Wait()
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	numbers := make([]uint64, 101)
	for i := range numbers {
		numbers[i] = uint64(i)
	}
	blocks, err := dialAny(t, d, server.URL).Blocks(t.Context(), numbers...)
	require.NoError(t, err)
	for i, block := range blocks {
		require.EqualValues(t, i, block.Number)
	}
	require.NotZero(t, blocks[0].Hash)
	require.Zero(t, blocks[100].Hash)
}
