package call

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/pay"
)

// An orchestrator that refuses each request over HTTP/2 so that it may be sent again gets it once.
func TestAnOrchestratorThatTakesNoRequest(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	config := &tls.Config{NextProtos: []string{"h2"}, Certificates: server.TLS.Certificates}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	var connections atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				connections.Add(1)
				secure := tls.Server(conn, config)
				settings, goAway := "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "\x00\x00\x08\x07\x00\x00\x00\x00\x00"+strings.Repeat("\x00", 8)
				_, _ = io.WriteString(secure, settings+goAway)
				_, _ = io.Copy(io.Discard, secure)
			}()
		}
	}()
	caller, _, _, _ := captured(t)
	caller.HTTP, caller.Timeout = HTTPClient(), time.Minute
	defer caller.HTTP.CloseIdleConnections()
	target, err := ParseTarget("https://" + listener.Addr().String() + "/apps/a/app")
	require.NoError(t, err)
	for i, request := range []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := caller.ask(ctx, &Request{Method: http.MethodGet, Target: target})
			return err
		},
		func(ctx context.Context) error {
			_, _, _, err := caller.post(ctx, time.Minute, target.Origin, target.URL.String(), make(http.Header), nil)
			return err
		},
	} {
		err := request(t.Context())
		require.ErrorIs(t, err, pay.ErrUnreachable)
		require.False(t, errors.Is(err, context.DeadlineExceeded))
		require.EqualValues(t, i+1, connections.Load(), "%v", err)
	}
}

// The list of runners and the call share a connection, also if the call begins before there is one.
func TestACallSharesTheListsConnection(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.EnableHTTP2 = true
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	caller, _, _, _ := captured(t)
	caller.HTTP = HTTPClient()
	defer caller.HTTP.CloseIdleConnections()
	_, err := caller.Call(t.Context(), request(t, http.MethodGet, server.URL+"/apps/a/app"))
	require.ErrorIs(t, err, ErrApp)
	require.EqualValues(t, 1, connections.Load())

	caller.HTTP.CloseIdleConnections()
	caller.Listing, caller.Timeout = &Listing{sent: make(chan struct{})}, time.Millisecond
	_, err = caller.ask(t.Context(), request(t, http.MethodGet, server.URL+"/apps/a/app"))
	require.ErrorContains(t, err, "no answer within 1ms")
	require.EqualValues(t, 1, connections.Load(), "the list has no connection yet")
}
