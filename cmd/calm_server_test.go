package cmd

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// gRPC logs to stderr that a server asks for fewer pings, in the server's words.
func TestWhatServersSendIsNotLogged(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			settings := "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
			goAway := "\x00\x00\x16\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x0b" + "too_many_pings"
			_, _ = io.WriteString(conn, settings+goAway)
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	require.Contains(t, failsWith(t, s, "params", "fetch", "http://"+listener.Addr().String()), "cannot be reached")
}

// net/http logs to stderr what a server sends beyond its answer, in the server's words.
func TestWhatServersSendUnaskedIsNotLogged(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	noticed := make(chan struct{})
	serve := func(conn net.Conn) {
		defer conn.Close()
		request, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		if request.URL.Path == "/discovery" {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]unasked")
			_, _ = io.Copy(io.Discard, conn) // until the client closes the connection
			close(noticed)
			return
		}
		<-noticed
		_, _ = io.WriteString(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	require.Contains(t, failsWith(t, s, "call", "http://"+listener.Addr().String()+"/apps/x/app", "--out", "answer"), "nothing was paid")
}

// failsWith runs pmctl, which must fail with nothing but a document on stderr, and returns that.
func failsWith(t *testing.T, s *seat, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "pmctl", append(args, "-o", "json")...)
	cmd.Env = append(cmd.Environ(), "HOME="+s.home, "XDG_DATA_HOME=", "ETH_KEYSTORE=", "ETH_FROM="+s.network.Accounts()[0].Address.Hex(), "ETH_PASSWORD="+s.file("pass"))
	cmd.Env = append(cmd.Env, s.env...)
	cmd.Dir = s.home
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.Error(t, cmd.Run())
	require.True(t, strings.HasPrefix(stderr.String(), `{"kind":"pmctl.error"`), stderr.String())
	return stderr.String()
}
