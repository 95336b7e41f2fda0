package delivery_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote/delivery"
)

// A connection that the server closes as it is used again is no failure.
func TestACollectorThatClosesAnIdleConnection(t *testing.T) {
	last := ""
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.RemoteAddr == last {
			panic(http.ErrAbortHandler)
		}
		last = r.RemoteAddr
	}))
	defer server.Close()
	to := delivery.NewEndpoint(server.URL, nil)
	for range 3 {
		require.NoError(t, to.Post(t.Context(), []byte("{}")))
	}
}

// A server can ask to wait for days.
func TestALongRetryAfter(t *testing.T) {
	for asked, want := range map[string]time.Duration{"7": 7 * time.Second, "86400": 24 * time.Hour, "": 0, "soon": 0, "-1": 0} {
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Retry-After", asked)
			rw.WriteHeader(http.StatusServiceUnavailable)
		}))
		var status *delivery.StatusError
		require.ErrorAs(t, delivery.NewEndpoint(server.URL, nil).Post(t.Context(), []byte("{}")), &status)
		require.Equal(t, want, status.After, asked)
		server.Close()
	}
}
