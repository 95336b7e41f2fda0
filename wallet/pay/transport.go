package pay

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// HTTPClient returns a client for one request: a kept connection may turn out to be dead at the
// next payment, whose outcome would be unknown. Its transport is a Transport.
func HTTPClient() *http.Client {
	return &http.Client{
		Transport: Transport{&http.Transport{
			DialContext:       dial,
			TLSClientConfig:   tlsConfig("h2", "http/1.1"),
			ForceAttemptHTTP2: true,
			DisableKeepAlives: true,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Transport opens one connection at most for each request. A server can refuse a request over HTTP/2 so
// that the client sends it again over a new one, as often as it does so, without a pause.
type Transport struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.Transport.RoundTrip(r.WithContext(context.WithValue(r.Context(), dialledKey{}, new(atomic.Bool))))
}

// dialledKey is where a request's context has whether it has opened a connection.
type dialledKey struct{}

var errRefusedStream = fmt.Errorf("the server refused the request over HTTP/2: %w", io.ErrUnexpectedEOF)

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	if dialled, ok := ctx.Value(dialledKey{}).(*atomic.Bool); ok && dialled.Swap(true) {
		return nil, errRefusedStream
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}
