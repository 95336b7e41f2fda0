package wallet_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/remote/admin"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/remote/service"
)

// TestAHangupOfTheTerminalEndsASigner: a hangup asks for a reload, unless it is that of the terminal. A reload that
// the operator asks for ends nothing, wherever the log was.
func TestAHangupOfTheTerminalEndsASigner(t *testing.T) {
	w, err := wallet.Open(t.Context(), newWorld(t).config())
	require.NoError(t, err)
	defer w.Close()
	signer, err := wallet.NewRemoteSigner(t.Context(), w, wallet.RemoteSignerOptions{Identify: identity.Local{}})
	require.NoError(t, err)
	defer signer.Close()
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		return l
	}
	watched, hangups, reloads := listen(), make(chan os.Signal), make(chan struct{}, 1)
	var deserted atomic.Bool
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		ended <- service.Serve(ctx, service.Config{
			Signer: signer, Listener: listen(), Admin: &service.Admin{Listener: watched},
			Reload: func(context.Context) (*admin.Reloaded, *tls.Config, error) {
				reloads <- struct{}{}
				return new(admin.Reloaded), nil, nil
			},
			Hangups: hangups, Deserted: deserted.Load,
		})
	}()
	hangups <- syscall.SIGHUP
	<-reloads
	deserted.Store(true)
	answer, err := http.Post("http://"+watched.Addr().String()+"/reload", "", nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	<-reloads
	hangups <- syscall.SIGHUP
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-reloads:
		t.Fatal("it reloaded")
	}
}
