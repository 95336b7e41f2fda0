package chain_test

import (
	"errors"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestAFallbackOfAnotherChainAnswersNothing: the first node serves the right chain and then
// fails. A node of another chain would answer reads that do not check the chain themselves.
func TestAFallbackOfAnotherChainAnswersNothing(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	other, _ := start(t, devnet.Config{Arbitrum: true})
	node, err := url.Parse(d.RPCURL())
	require.NoError(t, err)
	first := httptest.NewServer(httputil.NewSingleHostReverseProxy(node))
	t.Cleanup(first.Close)
	client := dialAny(t, d, first.URL, other.RPCURL())
	_, err = client.Contracts(t.Context())
	require.NoError(t, err)
	who := other.Accounts()[0].Address
	first.Close()

	for name, read := range map[string]func() error{
		"head":     func() error { _, err := client.Head(t.Context()); return err },
		"quote":    func() error { _, err := client.Quote(t.Context(), ethereum.CallMsg{From: who}); return err },
		"nonce":    func() error { _, err := client.PendingNonceAt(t.Context(), who); return err },
		"gasPrice": func() error { _, err := client.SuggestGasPrice(t.Context()); return err },
	} {
		err := read()
		var chainID *chain.ChainIDError
		if !errors.As(err, &chainID) && !errors.Is(err, chain.ErrUnreachable) {
			t.Errorf("%s: %v: a node of chain %d answered for chain %d", name, err, devnet.ArbitrumChainID, devnet.ChainID)
		}
	}
}
