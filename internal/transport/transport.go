// Package transport sends HTTP requests to servers that answer many: nodes, signers, webhooks.
package transport

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/pmctl/pmctl/internal/neterr"
)

// A connection without a frame from the server for silence is tried with a ping, and closed if that has
// no answer within patience. Together they are less than what a session of calls bears.
const (
	silence  = 10 * time.Second
	patience = 10 * time.Second
)

// A request that was waiting for a new connection may get a kept one that is dead.
const connections = 3

// New returns a transport with the settings of http.DefaultTransport and connections of its own, which it
// closes when the server is gone. Over HTTP/2 a request that times out leaves its connection to the next
// one, and the system gives it up only after a quarter of an hour.
func New() Transport {
	kept := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		kept = standard.Clone()
	}
	kept.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
		if response.StatusCode == http.StatusOK {
			return nil
		}
		return &neterr.ProxyError{Err: fmt.Errorf("it answers with HTTP status %s", response.Status)}
	}
	kept.HTTP2 = &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: patience}
	return Bounded(kept, connections)
}

// NoRedirect is the CheckRedirect of a client that follows none: where it leads may be another server, which
// would get what was asked and the secrets in its headers.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
