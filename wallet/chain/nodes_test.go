package chain_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
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

// closed is a URL that nobody listens at.
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
	require.EqualValues(t, 1, asked.Load(), "the one that answered is asked first from then on")
}

// TestANodeOfAnotherChainIsNoHelp: it would answer, and for another network.
func TestANodeOfAnotherChainIsNoHelp(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	other, _ := start(t, devnet.Config{Arbitrum: true})
	client := dialAny(t, d, closed(t), other.RPCURL())
	_, err := client.Contracts(t.Context())
	var chainID *chain.ChainIDError
	require.ErrorAs(t, err, &chainID)
	require.EqualValues(t, devnet.ArbitrumChainID, chainID.Got)
}

// TestABusyNodeIsAskedAgain: what is busy now may not be in a moment.
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

// TestATransactionIsHandedOverOnce: the answer that is lost is the caller's to worry
// about, who has the transaction in a journal.
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

// TestEachNodeGetsItsOwnSecrets: the first one's password is none of the second one's.
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
	require.ErrorIs(t, err, chain.ErrBadURL)
	_, err = chain.Dial(t.Context(), "http://127.0.0.1:1", chain.Network{}, "nonsense")
	require.ErrorIs(t, err, chain.ErrBadURL)
}
