package pay

import (
	"net/http"

	"github.com/pmctl/pmctl/internal/transport"
)

// HTTPClient returns a client for one request: a kept connection may turn out to be dead at the
// next payment, whose outcome would be unknown. It opens one connection for a request, and no second
// one if the server refuses it there.
func HTTPClient() *http.Client {
	return &http.Client{
		Transport: transport.Bounded(&http.Transport{
			TLSClientConfig:   tlsConfig("h2", "http/1.1"),
			ForceAttemptHTTP2: true,
			DisableKeepAlives: true,
		}, 1),
		CheckRedirect: transport.NoRedirect,
	}
}
