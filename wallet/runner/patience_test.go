package runner

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/pay"
)

// TestSlowAnswersNameTheirBound: the time that an orchestrator has is not the user's, and no longer
// with a longer --timeout, so an error names it.
func TestSlowAnswersNameTheirBound(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"no answer":      func(http.ResponseWriter) {},
		"half an answer": func(w http.ResponseWriter) { _, _ = w.Write([]byte("[")); w.(http.Flusher).Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				begin(w)
				<-r.Context().Done()
			}))
			t.Cleanup(server.Close)
			u, err := pay.ParseURL(server.URL)
			require.NoError(t, err)
			client := Client{HTTP: server.Client()}
			_, err = client.Runners(t.Context(), u)
			require.ErrorContains(t, err, "no answer within 2s")
			require.NotErrorIs(t, err, context.DeadlineExceeded)
		})
	}
}
