package chain_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/clock/clocktest"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/internal/nodes"
)

// failing answers every request with a status, and counts them.
func failing(t *testing.T, status int) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// closed is a URL without a listener.
func closed(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

func dialAny(t *testing.T, d *devnet.Devnet, first string, others ...string) *chain.Client {
	t.Helper()
	client, err := chain.Dial(t.Context(), first, network(d), others...)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

func TestAnotherNodeAnswers(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	down, asked := failing(t, http.StatusServiceUnavailable)
	client := dialAny(t, d, down, closed(t), d.RPCURL())
	_, err := client.Contracts(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, asked.Load())
	_, err = client.Status(t.Context(), common.Address{})
	require.NoError(t, err)
	require.EqualValues(t, 1, asked.Load(), "the node that answered is asked first from then on")
}

// TestANodeOfAnotherChainIsNoHelp: its answers are another network's.
func TestANodeOfAnotherChainIsNoHelp(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	other, _ := start(t, devnet.Config{Arbitrum: true})
	client := dialAny(t, d, closed(t), other.RPCURL())
	_, err := client.Contracts(t.Context())
	var chainID *chain.ChainIDError
	require.ErrorAs(t, err, &chainID)
	require.EqualValues(t, devnet.ArbitrumChainID, chainID.Got)
}

// TestABusyNodeIsAskedAgain after a pause.
func TestABusyNodeIsAskedAgain(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	var asked atomic.Int32
	client := dial(t, proxy(t, d, func(request) (*answer, error) {
		if asked.Add(1) <= 2 {
			return nil, errAway
		}
		return nil, nil
	}), network(d))
	_, err := client.Head(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 3, asked.Load())
}

// TestATimeOutHidesNoReason: if the context ends within a round, the nodes' answers of the
// round before are reported.
func TestATimeOutHidesNoReason(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	ctx, pass := clocktest.Deadline(t.Context())
	var asked atomic.Int32
	client := dial(t, proxy(t, d, func(request) (*answer, error) {
		if asked.Add(1) == 2 {
			pass()
		}
		return nil, errAway
	}), network(d))
	_, err := client.Head(ctx)
	require.ErrorContains(t, err, "503 Service Unavailable")
	require.EqualValues(t, 2, asked.Load())
}

// TestATransactionIsHandedOverOnce: a lost answer is up to the caller, who has the transaction
// in a journal.
func TestATransactionIsHandedOverOnce(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	first, asked := failing(t, http.StatusServiceUnavailable)
	second, alsoAsked := failing(t, http.StatusServiceUnavailable)
	client := dialAny(t, d, first, second)
	err := client.SendTransaction(t.Context(), types.NewTx(&types.LegacyTx{}))
	require.ErrorIs(t, err, chain.ErrUnreachable)
	require.EqualValues(t, 1, asked.Load())
	require.Zero(t, alsoAsked.Load())
}

// TestEachNodeGetsItsOwnSecrets: one node's password is not sent to another.
func TestEachNodeGetsItsOwnSecrets(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	got := make(chan string, 10)
	second := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Authorization")
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(second.Close)
	withPassword := strings.Replace(closed(t), "http://", "http://me:secret@", 1)
	client := dialAny(t, d, withPassword, second.URL)
	_, err := client.Contracts(t.Context())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
	require.Empty(t, <-got)
}

func TestSeveralNodesAreOverHTTP(t *testing.T) {
	_, err := chain.Dial(t.Context(), "http://127.0.0.1:1", chain.Network{}, "ws://127.0.0.1:1")
	require.ErrorIs(t, err, nodes.ErrBadURL)
	_, err = chain.Dial(t.Context(), "http://127.0.0.1:1", chain.Network{}, "nonsense")
	require.ErrorIs(t, err, nodes.ErrBadURL)
	require.ErrorContains(t, err, "URL 2 of 2: ")
}

// TestWhatANodeTakesIsRemembered: its limit is determined once, also for the next run, and
// again after a day.
func TestWhatANodeTakesIsRemembered(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	node, err := url.Parse(d.RPCURL())
	require.NoError(t, err)
	forward := httputil.NewSingleHostReverseProxy(node)
	var refused atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Count(body, []byte(`"method"`)) > 3 {
			refused.Add(1)
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	folder := t.TempDir()
	for run, want := range []int32{1, 0, 3, 0} { // six are too many, and then no request is; with the remembered limit twenty are
		if run == 2 {
			age(t, folder)
		}
		client := dialAny(t, d, server.URL)
		client.RememberIn(folder)
		for range 2 {
			_, err := client.Status(t.Context(), common.Address{})
			require.NoError(t, err)
		}
		require.Equal(t, want, refused.Swap(0))
	}
}

// age makes the remembered limits two days old.
func age(t *testing.T, folder string) {
	files, err := filepath.Glob(filepath.Join(folder, "network-*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	old := time.Now().Add(-48 * time.Hour).UTC().Format(time.RFC3339)
	aged := regexp.MustCompile(`"found":"[^"]*"`).ReplaceAll(text, []byte(`"found":"`+old+`"`))
	require.NotEqual(t, string(text), string(aged))
	require.NoError(t, os.WriteFile(files[0], aged, 0o600))
}

// TestAnOldHeadIsALastResort: of several nodes, a stopped one is used only if no other answers.
func TestAnOldHeadIsALastResort(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	old := proxy(t, d, func(req request) (*answer, error) {
		if req.Method != "eth_getBlockByNumber" {
			return nil, nil
		}
		return &answer{Result: map[string]any{"number": "0x1", "hash": common.Hash{1}, "timestamp": "0x1"}}, nil
	})
	live := network(d)
	live.MaxHeadAge = time.Hour
	require.NoError(t, d.Mine(t.Context(), 1))
	client, err := chain.Dial(t.Context(), old, live, d.RPCURL())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	_, err = client.Facts(t.Context(), common.Address{})
	require.NoError(t, err)
	require.Equal(t, d.RPCURL(), client.URL())

	client, err = chain.Dial(t.Context(), old, live, closed(t))
	require.NoError(t, err)
	t.Cleanup(client.Close)
	_, err = client.Facts(t.Context(), common.Address{})
	var stale *chain.StaleError
	require.ErrorAs(t, err, &stale)
	require.Equal(t, old, stale.URL)
}
