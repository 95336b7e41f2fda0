package nodes

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// newDialer makes WebSocket connections. By itself, a websocket.Dialer that waits for
// a silent server does not see its context end, only a deadline.
func newDialer() websocket.Dialer {
	return websocket.Dialer{Proxy: http.ProxyFromEnvironment, NetDialContext: dialOpening}
}

// opening is a connection whose handshake is not done yet.
type opening struct {
	net.Conn
	done func() bool
}

// dialOpening connects. The connection is closed when ctx ends before the handshake
// does.
func dialOpening(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &opening{conn, context.AfterFunc(ctx, func() { _ = conn.Close() })}, nil
}

// SetDeadline lifts the deadline when the handshake is done, which is how a
// websocket.Dialer lets go of the connection. From there on, ctx is over for it.
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
