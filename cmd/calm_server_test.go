package cmd

import (
	"bytes"
	"io"
	"net"
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
	cmd := exec.CommandContext(t.Context(), "pmctl", "params", "fetch", "http://"+listener.Addr().String(), "-o", "json")
	cmd.Env = append(cmd.Environ(), "HOME="+s.home, "XDG_DATA_HOME=", "ETH_KEYSTORE=", "ETH_FROM="+s.network.Accounts()[0].Address.Hex(), "ETH_PASSWORD="+s.file("pass"))
	cmd.Env = append(cmd.Env, s.env...)
	cmd.Dir = s.home
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.Error(t, cmd.Run())
	require.True(t, strings.HasPrefix(stderr.String(), `{"kind":"pmctl.error"`), stderr.String())
	require.Contains(t, stderr.String(), "cannot be reached")
}
