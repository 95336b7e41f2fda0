package transport

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// Transport opens few connections for each request. A server can refuse a request over HTTP/2 so that the
// client sends it again over a new one, as often as it does so, without a pause.
type Transport struct {
	*http.Transport
	most int32
}

// ErrRefused is returned for a request that the server refused over each connection. It matches
// io.ErrUnexpectedEOF.
var ErrRefused = fmt.Errorf("the server refused the request over HTTP/2: %w", io.ErrUnexpectedEOF)

// Bounded returns an unused transport that opens at most that many connections for a request, and
// then fails with ErrRefused.
func Bounded(transport *http.Transport, most int32) Transport {
	dial := transport.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if left, ok := ctx.Value(leftKey{}).(*atomic.Int32); ok && left.Add(-1) < 0 {
			return nil, ErrRefused
		}
		return dial(ctx, network, address)
	}
	return Transport{transport, most}
}

// RoundTrip implements http.RoundTripper. An answer that states its length ends with its last byte: over
// HTTP/2 a proxy can keep its stream open until it has the rest of the request, of which net/http sends no
// more after an error.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	left := new(atomic.Int32)
	left.Store(t.most)
	response, err := t.Transport.RoundTrip(r.WithContext(context.WithValue(r.Context(), leftKey{}, left)))
	if err == nil && response.ContentLength > 0 {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, response.ContentLength), response.Body}
	}
	return response, err
}

// leftKey is where a request's context has how many connections it may still open.
type leftKey struct{}
