package remote_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
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
		ended <- remote.Serve(ctx, l, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "here") }), time.Second)
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

func TestLargeHeaders(t *testing.T) {
	address := serve(t)
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, get(t, address, http.Header{"X-Large": {strings.Repeat("x", 1<<20)}}))
	require.Equal(t, http.StatusOK, get(t, address, nil))
}

// TestSoakSlowClients: clients that never finish their requests are hung up on, and delay no
// other. There are more of them than connections are served at once.
func TestSoakSlowClients(t *testing.T) {
	address := serve(t)
	const slow = 5000
	var connections []net.Conn
	for range slow {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Skipf("skipped: %d connections cannot be opened: %v", slow, err)
		}
		defer c.Close()
		_, err = io.WriteString(c, "POST /generate-live-payment HTTP/1.1\r\nHost: signer\r\nX-Slow: ")
		require.NoError(t, err)
		connections = append(connections, c)
	}
	require.Equal(t, http.StatusOK, get(t, address, nil), "as soon as the first of them are hung up on")
	for _, c := range connections {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
		_, err := io.Copy(io.Discard, c)
		require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	}
}
