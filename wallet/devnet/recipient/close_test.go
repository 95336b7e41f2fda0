package recipient_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/core"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/store"
)

// A recipient that is closed while senders wait for it and a winner waits for its expiry leaves
// no goroutine, port or file.
func TestCloseLeavesNothing(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv("TMP", temporary)
	network, env := networkAndEnv(t)
	p := network.newPayer(t).fund(ether, ether)
	files := folders(t, temporary)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	core.SenderCacher() // goroutines that the node starts once and never ends
	before := goleak.IgnoreCurrent()

	routes := map[string]http.Handler{}
	env.Handle = func(pattern string, handler http.Handler) { routes[pattern] = handler }
	second, err := devnet.OwnRecipient(devnet.RecipientConfig{Economy: recipient.DefaultEconomy()})(t.Context(), env)
	require.NoError(t, err)
	closed := false
	defer func() {
		if !closed {
			require.NoError(t, second.Close())
		}
	}()
	state := second.State()
	for nonce, info := uint32(1), p.offer(state.URL); status(t, state.StatusURL).Tickets.Won == 0; nonce++ {
		p.accepted(info, p.payment(info, nonce, 1))
	}

	answer := httptest.NewRecorder()
	routes["POST /recipients/0/fault"].ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/?name=hang", nil))
	require.Equal(t, http.StatusOK, answer.Code)
	request, err := wire.NewOrchestratorRequest(p.signer.Signer)
	require.NoError(t, err)
	ended := make(chan error, 2)
	for _, at := range []string{state.URL, state.PlainURL} {
		go func() {
			_, err := p.askWith(t.Context(), at, request)
			ended <- err
		}()
	}
	eventually(t, func() (any, bool) { n := status(t, state.StatusURL).Held; return n, n == 2 })

	require.NoError(t, second.Close())
	closed = true
	require.Error(t, <-ended)
	require.Error(t, <-ended)
	for _, at := range []string{state.URL, state.PlainURL} {
		u, err := url.Parse(at)
		require.NoError(t, err)
		_, err = net.Dial("tcp", u.Host)
		require.Error(t, err)
	}
	p.http.CloseIdleConnections()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	goleak.VerifyNone(t, before)
	require.Equal(t, files, folders(t, temporary))
}

// networkAndEnv is a network with a recipient, and the environment for a second one.
func networkAndEnv(t *testing.T) (*network, devnet.RecipientEnv) {
	t.Helper()
	var env devnet.RecipientEnv
	own := devnet.OwnRecipient(devnet.RecipientConfig{Economy: recipient.DefaultEconomy()})
	network := newNetwork(t, devnet.Config{StartRecipient: func(ctx context.Context, e devnet.RecipientEnv) (devnet.Recipient, error) {
		env = e
		return own(ctx, e)
	}})
	return network, env
}

func folders(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// A recipient does not start with a file that is not a store, and leaves it as it is.
func TestStoreThatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	text := bytes.Repeat([]byte("dear diary, "), 100)
	require.NoError(t, os.WriteFile(path, text, 0o600))
	network, env := networkAndEnv(t)
	_, err := network.client.Head(t.Context()) // its goroutines run from the first call on
	require.NoError(t, err)
	core.SenderCacher() // goroutines that the node starts once and never ends
	before := goleak.IgnoreCurrent()

	_, err = devnet.OwnRecipient(devnet.RecipientConfig{Economy: recipient.DefaultEconomy(), StorePath: path})(t.Context(), env)
	require.ErrorIs(t, err, store.ErrNotStore)
	require.ErrorContains(t, err, path)
	left, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, text, left)
	goleak.VerifyNone(t, before)
}
