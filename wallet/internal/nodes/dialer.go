package nodes

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// newDialer opens WebSocket connections. On its own a websocket.Dialer that waits for a silent
// server notices a deadline, but not the end of its context.
func newDialer() websocket.Dialer {
	return websocket.Dialer{Proxy: http.ProxyFromEnvironment, NetDialContext: dialOpening}
}

// opening is a connection during its handshake.
type opening struct {
	net.Conn
	done func() bool
}

// dialOpening connects. The connection is closed if ctx ends before the handshake does.
func dialOpening(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &opening{conn, context.AfterFunc(ctx, func() { _ = conn.Close() })}, nil
}

// SetDeadline lifts the deadline after the handshake, when a websocket.Dialer is done with the
// connection. From then on, ctx does not affect it.
func (c *opening) SetDeadline(at time.Time) error {
	if at.IsZero() {
		c.done()
	}
	return c.Conn.SetDeadline(at)
}

// Close ends the wait for ctx as well.
func (c *opening) Close() error {
	c.done()
	return c.Conn.Close()
}
