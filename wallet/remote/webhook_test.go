package remote_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote"
)

// hanging is a server that accepts a request and does not answer.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestAWebhookThatHangs: the operator reads how long the webhook was waited for.
func TestAWebhookThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hook := &remote.Webhook{URL: "https://hook.example?secret", Client: &http.Client{Transport: hanging{}}}
		_, err := hook.Ask(t.Context(), nil, nil)
		require.EqualError(t, err, "auth webhook: no answer within 5s: context deadline exceeded")
	})
}

// TestAWebhookThatClosesAnIdleConnection: many servers do so after five seconds, just when a stream's next payment is due.
func TestAWebhookThatClosesAnIdleConnection(t *testing.T) {
	last := ""
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.RemoteAddr == last {
			panic(http.ErrAbortHandler)
		}
		last = r.RemoteAddr
		_, _ = io.WriteString(rw, `{"status":200}`)
	}))
	defer server.Close()
	hook := &remote.Webhook{URL: server.URL}
	for range 3 {
		_, err := hook.Ask(t.Context(), nil, json.RawMessage("{}"))
		require.NoError(t, err)
	}
}
