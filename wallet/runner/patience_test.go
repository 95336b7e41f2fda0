package runner

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/clock/clocktest"
	"github.com/pmctl/pmctl/wallet/pay"
)

// TestSlowAnswersNameTheirBound: the time that an orchestrator has is not the user's, and no longer
// with a longer --timeout, so an error names it.
func TestSlowAnswersNameTheirBound(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"no answer":      func(http.ResponseWriter) {},
		"half an answer": func(w http.ResponseWriter) { _, _ = w.Write([]byte("[")); w.(http.Flusher).Flush() },
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/HTTP2=%v", name, http2), func(t *testing.T) {
				t.Parallel()
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					begin(w)
					<-r.Context().Done()
				}))
				server.EnableHTTP2 = http2
				server.StartTLS()
				t.Cleanup(server.Close)
				u, err := pay.ParseURL(server.URL)
				require.NoError(t, err)
				client := Client{HTTP: server.Client()}
				_, err = client.Runners(t.Context(), u)
				require.ErrorContains(t, err, "no answer within 2s")
				require.ErrorIs(t, err, pay.ErrUnreachable)
				require.NotErrorIs(t, err, context.DeadlineExceeded)
				client.Patience = time.Millisecond
				_, err = client.Runners(t.Context(), u)
				require.ErrorContains(t, err, "no answer within 1ms")
			})
		}
	}
}

// TestAnAnswerThatEndsWithItsBound is not taken for a whole one.
func TestAnAnswerThatEndsWithItsBound(t *testing.T) {
	limited, pass := clocktest.Deadline(t.Context())
	text, err := readAll(limited, strings.NewReader("[]"), maxList)
	require.NoError(t, err)
	require.Equal(t, "[]", string(text))
	pass()
	_, err = readAll(limited, strings.NewReader("["), maxList)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
