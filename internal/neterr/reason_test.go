package neterr

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReason(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	_, refused := net.Dial("tcp", address)
	require.Error(t, refused)
	require.Equal(t, "the connection was refused: nothing listens there", Reason(fmt.Errorf("asking: %w", refused)))

	require.Equal(t, "the name node.example is not known", Reason(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "node.example", IsNotFound: true}}))
	require.Equal(t, "the name node.example could not be looked up", Reason(&net.DNSError{Name: "node.example", IsTimeout: true}))
	require.Equal(t, "there is no route to its address", Reason(noHost))
	require.Equal(t, "the connection timed out: the other side does not respond", Reason(os.NewSyscallError("read", TimedOut)))
	for _, closed := range []error{io.EOF, io.ErrUnexpectedEOF, os.NewSyscallError("read", Reset), os.NewSyscallError("write", broken)} {
		require.Equal(t, "the connection was closed before the answer was complete", Reason(&url.Error{Op: "Get", Err: closed}))
	}
	proxy := &url.Error{Op: "Post", Err: &net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused}}
	require.Equal(t, "the proxy of HTTPS_PROXY or HTTP_PROXY fails: the connection was refused: nothing listens there", Reason(proxy))
	require.Equal(t, "the proxy of HTTPS_PROXY or HTTP_PROXY fails: status 407", Reason(&url.Error{Op: "Post", Err: &ProxyError{errors.New("status 407")}}))
	require.Contains(t, Reason(os.NewSyscallError("socket", tooMany)), "ulimit -n")
	require.Contains(t, Reason(os.NewSyscallError("connect", noPort)), "no free port")
	for _, other := range []error{nil, errors.New("dial tcp: connection refused")} {
		require.Empty(t, Reason(other))
	}
}

func TestWithoutURL(t *testing.T) {
	require.Equal(t, io.EOF, WithoutURL(fmt.Errorf("asking: %w", &url.Error{Op: "Get", URL: "https://node.example/secret", Err: io.EOF})))
	require.Equal(t, io.EOF, WithoutURL(io.EOF))
	require.NoError(t, WithoutURL(nil))
}
