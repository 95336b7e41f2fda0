package remote_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote"
)

// serve serves on a real listener, and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- remote.Serve(ctx, l, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "here") }), time.Second, nil)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return l.Addr().String()
}

func get(t *testing.T, address string, header http.Header) int {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+address, nil)
	require.NoError(t, err)
	r.Header = header
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

// TestAFailedHandshakeIsInTheLog: a connection that fails before its request is a line of the signer's
// log, in its format. Go's own log is on stderr, between those lines.
func TestAFailedHandshakeIsInTheLog(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", certified.TLS)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	var text bytes.Buffer
	go func() {
		ended <- remote.Serve(ctx, l, http.NotFoundHandler(), time.Second, slog.New(slog.NewJSONHandler(&text, nil)))
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: signer\r\n\r\n")
	require.NoError(t, err)
	_, err = io.ReadAll(c) // until the server has ended the connection
	require.NoError(t, err)
	stop()
	require.NoError(t, <-ended)
	require.Contains(t, text.String(), `"level":"WARN","msg":"http: TLS handshake error from 127.0.0.1`)
}

// TestARequestOutlastsTheDrain: a server that is stopped ends without a failure, also if a request under way is not
// answered in time, and the log says so.
func TestARequestOutlastsTheDrain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	asked, release, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	var log bytes.Buffer
	go func() {
		ended <- remote.Serve(ctx, l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(asked)
			<-release
		}), 5*time.Millisecond, slog.New(slog.NewTextHandler(&log, nil)))
	}()
	cut := make(chan error, 1)
	go func() {
		res, err := http.Get("http://" + l.Addr().String())
		if err == nil {
			err = res.Body.Close()
		}
		cut <- err
	}()
	<-asked
	stop()
	require.NoError(t, <-ended)
	require.Error(t, <-cut)
	close(release)
	require.Contains(t, log.String(), `level=WARN msg="requests under way were not answered in time: their connections were closed" drain_ms=5`)
}

func TestLargeHeaders(t *testing.T) {
	address := serve(t)
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, get(t, address, http.Header{"X-Large": {strings.Repeat("x", 1<<20)}}))
	require.Equal(t, http.StatusOK, get(t, address, nil))
}

// TestSoakSlowClients: ten thousand connections, some of which never finish a request and some of
// which are kept after one, keep no other client out: there are more of them than are kept. The
// slow ones are hung up on.
func TestSoakSlowClients(t *testing.T) {
	address := serve(t)
	const idle, slow = 5000, 5000
	var connections []net.Conn
	connect := func(request string) net.Conn {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Skipf("skipped: %d connections cannot be opened: %v", idle+slow, err)
		}
		t.Cleanup(func() { c.Close() })
		_, err = io.WriteString(c, request)
		require.NoError(t, err)
		return c
	}
	client := &http.Client{Transport: new(http.Transport), Timeout: 30 * time.Second} // idle connections are kept for longer
	t.Cleanup(client.CloseIdleConnections)
	answered := func() {
		t.Helper()
		response, err := client.Get("http://" + address)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	for range idle {
		c := connect("GET / HTTP/1.1\r\nHost: signer\r\n\r\n")
		require.NoError(t, c.SetReadDeadline(time.Now().Add(client.Timeout)))
		_, err := http.ReadResponse(bufio.NewReader(c), nil)
		require.NoError(t, err)
	}
	answered()
	for range slow {
		connections = append(connections, connect("POST /generate-live-payment HTTP/1.1\r\nHost: signer\r\nX-Slow: "))
	}
	client.CloseIdleConnections()
	answered()
	for _, c := range connections {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
		_, err := io.Copy(io.Discard, c)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	}
}

// TestAServerEndsWithItsListener: a listener that fails ends the server, with the connections
// that were open: what answers their requests is closed after Serve.
func TestAServerEndsWithItsListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		ended <- remote.Serve(t.Context(), l, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "here") }), time.Second, nil)
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	answers := bufio.NewReader(c)
	ask := func() error {
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: signer\r\n\r\n"); err != nil {
			return err
		}
		answer, err := http.ReadResponse(answers, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, answer.Body)
		}
		return err
	}
	require.NoError(t, ask())
	require.NoError(t, l.Close())
	require.ErrorIs(t, <-ended, net.ErrClosed)
	require.Error(t, ask())
}
