package tx_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// silentSend is a proxy in front of the network's node that passes everything on, but drops the
// answer to a transaction.
func (w *world) silentSend() *chain.Client {
	w.t.Helper()
	target, err := url.Parse(w.net.RPCURL())
	require.NoError(w.t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if !bytes.Contains(body, []byte("eth_sendRawTransaction")) {
			proxy.ServeHTTP(rw, r)
			return
		}
		proxy.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}))
	w.t.Cleanup(server.Close)
	return w.dial(server.URL)
}

// TestUnknownOutcome drops the node's answer after the transaction was sent. The error names
// the transaction, which is mined.
func TestUnknownOutcome(t *testing.T) {
	w := newWorld(t)
	node := w.silentSend()
	manager := w.Manager
	manager.Node = node
	_, err := manager.Send(t.Context(), w.broker, wei.FromUint64(1), broker.PackFundDeposit())
	var unknown *tx.UnknownOutcomeError
	require.ErrorAs(t, err, &unknown)
	require.ErrorIs(t, err, chain.ErrUnreachable)
	w.wait(unknown.Hash)
}
