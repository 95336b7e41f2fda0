package wallet_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestTwoRunsOfOneRequest begin it at the same time, so that the second finds the first one's
// transaction only when it looks for others: it is the request's own, and is waited for.
func TestTwoRunsOfOneRequest(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	require.NoError(t, r.SetAutomine(t.Context(), false))
	direct := r.nodes
	fund := func(id string, o wallet.WaitOptions) (wallet.Transaction, error) {
		w := r.open(0)
		defer w.Close()
		return w.Do(t.Context(), w.Funding(wallet.Funding{Deposit: wei.FromUint64(7)}, false), wallet.SendOptions{Agreed: true, RequestID: id, WaitOptions: o})
	}
	before, err := fund("before", wallet.WaitOptions{NoWait: true})
	require.NoError(t, err)
	require.NoError(t, r.Mine(t.Context(), 1))

	behind, err := url.Parse(r.RPCURL())
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	var once sync.Once
	var first wallet.Transaction
	node := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		body, _ := io.ReadAll(in.Body)
		if bytes.Contains(body, []byte(before.Hash.Hex())) { // the second run looks at the account's other transactions
			once.Do(func() {
				r.nodes = direct
				first, err = fund("ours", wallet.WaitOptions{NoWait: true})
			})
		}
		in.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(out, in)
	}))
	defer node.Close()
	r.nodes = []string{node.URL}
	second, again := fund("ours", wallet.WaitOptions{NoWait: true})
	require.NoError(t, err)
	require.NoError(t, again)
	require.NotEmpty(t, first.Hash)
	require.Equal(t, first.Hash, second.Hash)
	require.NoError(t, r.Mine(t.Context(), 1))
	r.requireFunds("14 wei", "0 wei")
}

// TestAKeyIsClearedBeforeTheWait for a replacement, as for what it replaces.
func TestAKeyIsClearedBeforeTheWait(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	require.NoError(t, r.SetAutomine(t.Context(), false))
	w := r.open(0)
	defer w.Close()
	sent, err := w.Fund(t.Context(), wallet.Funding{Deposit: wei.FromUint64(1)}, wallet.SendOptions{Agreed: true, WaitOptions: wallet.WaitOptions{NoWait: true}})
	require.NoError(t, err)
	config := r.config(0)
	again, err := wallet.Open(t.Context(), config)
	require.NoError(t, err)
	defer again.Close()
	_, err = again.Bump(t.Context(), sent.Hash, wallet.ReplaceOptions{Agreed: true, WaitOptions: wallet.WaitOptions{NoWait: true}})
	require.NoError(t, err)
	require.Nil(t, config.Account.Source())
}

// TestWhatIsTooLateToCancelIsSentOnce: who runs the command again, because it ended without an answer, has
// the transaction that it sent, and funds nothing twice.
func TestWhatIsTooLateToCancelIsSentOnce(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	require.NoError(t, r.SetAutomine(t.Context(), false))
	fund := func(o wallet.WaitOptions) wallet.Transaction {
		w := r.open(0)
		defer w.Close()
		sent, err := w.Fund(t.Context(), wallet.Funding{Deposit: wei.FromUint64(1)}, wallet.SendOptions{Agreed: true, WaitOptions: o})
		require.NoError(t, err)
		return sent
	}
	first := fund(wallet.WaitOptions{NoWait: true})
	direct := r.through(func(out http.ResponseWriter, in *http.Request) {
		require.NoError(t, r.SetAutomine(t.Context(), true))
		r.refuse(out, in)
	})
	w := r.open(0)
	_, err := w.Cancel(t.Context(), first.Hash, wallet.ReplaceOptions{Agreed: true})
	require.ErrorIs(t, err, wallet.ErrTooLate)
	w.Close()
	direct()
	require.Equal(t, first.Hash, fund(wallet.WaitOptions{}).Hash)
	r.requireFunds("1 wei", "0 wei")
}
