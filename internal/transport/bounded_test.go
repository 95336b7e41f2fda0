package transport

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
)

// A server that refuses each request over HTTP/2, as one that shuts down does, is not dialled again without an end.
func TestAServerThatTakesNoRequest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	var dialled atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			dialled.Add(1)
			go refuse(conn)
		}
	}()
	kept := New()
	kept.Proxy = nil
	kept.Protocols = new(http.Protocols)
	kept.Protocols.SetUnencryptedHTTP2(true)
	defer kept.CloseIdleConnections()
	client := &http.Client{Transport: kept}
	for asked := range int32(2) {
		_, err := client.Post("http://"+listener.Addr().String(), "application/json", strings.NewReader("{}"))
		require.ErrorIs(t, err, ErrRefused)
		require.Equal(t, connections*(asked+1), dialled.Load())
	}
}

// A proxy that has answered with an error, and still waits for the rest of the request, is not waited for.
func TestAProxyThatWaitsForTheRequest(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Length", "3")
		rw.WriteHeader(http.StatusPaymentRequired)
		_, _ = io.WriteString(rw, "pay")
		_ = http.NewResponseController(rw).Flush()
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	kept := New()
	kept.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	defer kept.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("body"))
	require.NoError(t, err)
	request.Header.Set("Expect", "100-continue")
	response, err := kept.RoundTrip(request)
	require.NoError(t, err)
	require.Equal(t, "HTTP/2.0", response.Proto)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, "pay", string(body))
	require.NoError(t, response.Body.Close())
}

// refuse answers each request on a connection with the end of the connection, before it has begun.
func refuse(conn net.Conn) {
	defer conn.Close()
	_, _ = io.CopyN(io.Discard, conn, int64(len(http2.ClientPreface)))
	framer := http2.NewFramer(conn, conn)
	_ = framer.WriteSettings()
	for frame, err := framer.ReadFrame(); err == nil; frame, err = framer.ReadFrame() {
		if _, ok := frame.(*http2.HeadersFrame); ok {
			_ = framer.WriteGoAway(0, http2.ErrCodeNo, nil)
		}
	}
}
