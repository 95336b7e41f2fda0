package pay

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/neterr"
	"github.com/pmctl/pmctl/internal/transport"
)

var (
	// errNoHTTP2 is returned for a TLS server that does not speak HTTP/2.
	errNoHTTP2 = errors.New("it does not speak HTTP/2")

	// errHandshake is the kind of errors of a TLS handshake.
	errHandshake = errors.New("the TLS handshake failed")
)

// tlsConfig accepts any certificate: see the package's documentation.
func tlsConfig(protocols ...string) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, NextProtos: protocols}
}

// dialing dials one gRPC client, once, and keeps the dial error, which gRPC itself reports as text only.
type dialing struct {
	mu sync.Mutex
	// err is the last failure; nil while there is a connection.
	err error

	dialled atomic.Bool
}

func (d *dialing) note(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
	return err
}

func (d *dialing) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// client returns a client of the recipient at u, which dials on first use.
func (d *dialing) client(u URL, timeout time.Duration) (*grpc.ClientConn, error) {
	security := insecure.NewCredentials()
	if u.TLS() {
		config := tlsConfig("h2")
		security = &handshake{credentials.NewTLS(config), config, d}
	}
	return grpc.NewClient("passthrough:///"+u.host,
		grpc.WithTransportCredentials(security),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			if d.dialled.Swap(true) {
				return nil, d.note(cmp.Or(d.failure(), transport.ErrRefused))
			}
			dialer := net.Dialer{Timeout: timeout}
			conn, err := dialer.DialContext(ctx, "tcp", address)
			return conn, d.note(err)
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithDisableServiceConfig(),
		grpc.WithUserAgent(userAgent),
	)
}

// handshake is gRPC's TLS, with its errors recorded in dialing.
type handshake struct {
	credentials.TransportCredentials
	config *tls.Config
	dial   *dialing
}

func (h *handshake) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	config := h.config.Clone()
	config.ServerName = authority
	if host, _, err := net.SplitHostPort(authority); err == nil {
		config.ServerName = host
	}
	conn := tls.Client(raw, config)
	err := conn.HandshakeContext(ctx)
	if err != nil {
		err = hint.Kind(errHandshake, err)
	} else if conn.ConnectionState().NegotiatedProtocol != "h2" {
		err = errNoHTTP2
	}
	if h.dial.note(err) != nil {
		raw.Close()
		return nil, nil, err
	}
	info := credentials.TLSInfo{
		State:          conn.ConnectionState(),
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
	}
	return reading{conn, h.dial}, info, nil
}

// reading is a connection over TLS whose end is recorded in dialing: a server may refuse the handshake, and
// a proxy find out that its recipient is down, only once the client's part of the handshake is over.
type reading struct {
	net.Conn
	dial *dialing
}

// Read implements net.Conn.
func (r reading) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if err != nil && !errors.Is(err, net.ErrClosed) {
		_ = r.dial.note(err)
	}
	return n, err
}

func (h *handshake) Clone() credentials.TransportCredentials {
	return &handshake{h.TransportCredentials.Clone(), h.config.Clone(), h.dial}
}

// connectError says why no connection was made.
func connectError(u URL, err error, timeout time.Duration) error {
	reason := reasonOf(err, timeout)
	switch {
	case errors.Is(err, errNoHTTP2), isAlert(err, noApplicationProtocol):
		return fmt.Errorf("%w: what answers at %s does not speak gRPC: %w", ErrNotRecipient, u, errNoHTTP2)
	case errors.As(err, new(tls.RecordHeaderError)):
		reason = fmt.Sprintf("the TLS handshake failed: it does not speak TLS: if it is a recipient without TLS, use %s", u.withScheme("http"))
	case isTimeout(err):
		reason = fmt.Sprintf("no connection within %s", duration.Text(timeout))
	}
	return Silent(u, reason, err)
}

// speaksTLS reports whether a server with TLS listens at a URL without.
func speaksTLS(ctx context.Context, u URL) bool {
	if u.TLS() {
		return false
	}
	dialer := tls.Dialer{Config: tlsConfig("h2")}
	conn, err := dialer.DialContext(ctx, "tcp", u.host)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// Unreachable returns the error of an HTTP request to u that failed before an answer.
func Unreachable(u URL, err error) error { return connectError(u, err, DefaultTimeout) }

// isTimeout reports whether a request exceeded its timeout. The system has one of its own for
// connections, and ends them with TimedOut.
func isTimeout(err error) bool {
	var timeout net.Error
	return !errors.Is(err, neterr.TimedOut) && (errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout())
}

// noApplicationProtocol is the alert of a server that speaks none of the protocols offered to it
// (RFC 7301).
const noApplicationProtocol tls.AlertError = 120

// isAlert reports whether the server ended a handshake with an alert. Its type is not exported, so
// the texts are compared.
func isAlert(err error, alert tls.AlertError) bool {
	ended := alertOf(err)
	return ended != nil && ended.Error() == alert.Error()
}

// alertOf is the alert by which a server ended a connection; nil for any other error.
func alertOf(err error) error {
	if remote, ok := errors.AsType[*net.OpError](err); ok && remote.Op == "remote error" {
		return remote.Err
	}
	return nil
}
