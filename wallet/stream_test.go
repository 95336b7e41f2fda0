package wallet_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
)

// TestANodeThatHangsUpEndsNoStream: a node that closes the connection instead of answering fails the
// stream. Its error wraps io.EOF, which is not the end of the lines.
func TestANodeThatHangsUpEndsNoStream(t *testing.T) {
	world := newWorld(t)
	require.NoError(t, fund(t.Context(), world.config(), "first"))
	config := world.config()
	behind, err := url.Parse(config.Nodes[0])
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	var answers atomic.Int32
	node := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if answers.Add(-1) < 0 {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(out, in)
	}))
	defer node.Close()
	stream := func(answered int32) (wallet.StreamResult, error) {
		answers.Store(answered)
		config := world.config()
		config.Nodes = []string{node.URL}
		w, err := wallet.Open(t.Context(), config)
		require.NoError(t, err)
		defer w.Close()
		var out bytes.Buffer
		result, err := w.Stream(t.Context(), wallet.StreamOptions{
			In: strings.NewReader(world.url + "\n"), Out: &out, Format: format.JSONLine, Amount: pay.Amount{Count: 2},
		})
		require.EqualValues(t, result.Batches, strings.Count(out.String(), "\n"))
		return result, err
	}
	for answered := int32(0); ; answered++ {
		result, err := stream(answered)
		if err == nil {
			require.NotZero(t, result.Batches, "after %d answers", answered)
			require.Greater(t, answered, int32(1), "the sender and the recipient are each asked about")
			return
		}
		require.ErrorIs(t, err, chain.ErrUnreachable)
		require.Equal(t, wallet.ClassUnreachable, wallet.ClassOf(err))
	}
}
