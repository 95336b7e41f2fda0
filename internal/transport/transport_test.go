package transport

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/neterr"
)

// A load balancer or a NAT forgets a connection without telling either side.
func TestAServerThatIsGoneIsDialledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, dialled, gone := New(), 0, new(atomic.Bool)
		served := make(listener)
		kept.Proxy = nil
		kept.Protocols = new(http.Protocols)
		kept.Protocols.SetUnencryptedHTTP2(true)
		kept.DialContext = func(context.Context, string, string) (net.Conn, error) {
			dialled++
			here, there := net.Pipe()
			conn := forgotten{there, new(atomic.Bool)}
			if dialled == 1 {
				conn.gone = gone
			}
			served <- conn
			return here, nil
		}
		server := &http.Server{Protocols: kept.Protocols, Handler: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "answer") })}
		ended := make(chan error, 1)
		go func() { ended <- server.Serve(served) }()
		defer func() {
			kept.CloseIdleConnections()
			require.NoError(t, server.Close())
			require.ErrorIs(t, <-ended, http.ErrServerClosed)
		}()
		ask := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://node.example", nil)
			require.NoError(t, err)
			response, err := kept.RoundTrip(request)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			_, err = io.ReadAll(response.Body)
			return err
		}
		require.NoError(t, ask())
		require.NoError(t, ask())
		require.Equal(t, 1, dialled)

		gone.Store(true)
		at := time.Now()
		for ask() != nil {
			require.Less(t, time.Since(at), 30*time.Second, "still asked over the connection that is gone")
		}
		require.Equal(t, 2, dialled)
	})
}

// A proxy that refuses is named, and its password is not.
func TestAProxyThatRefuses(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusProxyAuthRequired) }))
	defer proxy.Close()
	for at, says := range map[string]string{
		proxy.Listener.Addr().String(): "it answers with HTTP status 407 Proxy Authentication Required",
		"127.0.0.1:1":                  "the connection was refused: nothing listens there",
	} {
		kept := New()
		kept.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: at, User: url.UserPassword("user", "s3cret")})
		_, err := (&http.Client{Transport: kept}).Get("https://node.example")
		kept.CloseIdleConnections()
		require.Equal(t, "the proxy of HTTPS_PROXY or HTTP_PROXY fails: "+says, neterr.Reason(err))
		require.NotContains(t, err.Error(), "s3cret")
	}
}

func TestAnotherDefaultTransport(t *testing.T) {
	was := http.DefaultTransport
	defer func() { http.DefaultTransport = was }()
	http.DefaultTransport = http.NewFileTransport(http.Dir("."))
	require.NotNil(t, New().HTTP2)
}

type listener chan net.Conn

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	if conn, open := <-l; open {
		return conn, nil
	}
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (l listener) Close() error {
	close(l)
	return nil
}

// Addr implements net.Listener.
func (listener) Addr() net.Addr { return new(net.UnixAddr) }

// forgotten is a connection from which nothing arrives any more once it is gone.
type forgotten struct {
	net.Conn
	gone *atomic.Bool
}

// Write implements net.Conn.
func (f forgotten) Write(p []byte) (int, error) {
	if f.gone.Load() {
		return len(p), nil
	}
	return f.Conn.Write(p)
}
