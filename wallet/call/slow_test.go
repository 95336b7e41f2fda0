package call

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
)

// TestAnOrchestratorThatDoesNotAnswer the unpaid request, or begins its challenge and goes silent, is
// given up after the timeout.
func TestAnOrchestratorThatDoesNotAnswer(t *testing.T) {
	for name, begin := range map[string]func(http.ResponseWriter){
		"at all": func(http.ResponseWriter) {},
		"whole": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusPaymentRequired)
			http.NewResponseController(w).Flush()
		},
	} {
		t.Run(name, func(t *testing.T) {
			caller, _, _, _ := captured(t)
			caller.Timeout = 50 * time.Millisecond
			caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Path == "/discovery" {
					return
				}
				begin(w)
				<-req.Context().Done()
			}))
			_, err := caller.Call(t.Context(), echoed(t))
			require.ErrorIs(t, err, pay.ErrUnreachable)
			require.ErrorContains(t, err, "no answer within 50ms")
			require.NotErrorIs(t, err, context.Canceled)
		})
	}
}

// TestAnAnswerThatIsKeptOpen, as by a proxy that waits for the rest of the request: a challenge has an end of
// its own, and an error has the time of any other answer.
func TestAnAnswerThatIsKeptOpen(t *testing.T) {
	caller, _, captures, _ := captured(t)
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/missing") {
			http.Error(w, "missing", http.StatusNotFound)
		} else {
			captures.ServeHTTP(w, req)
		}
		if req.URL.Path != "/discovery" && req.Header.Get(wire.PaymentHeader) == "" {
			_ = http.NewResponseController(w).Flush()
			<-req.Context().Done()
		}
	}))
	_, err := caller.Call(t.Context(), echoed(t))
	require.NoError(t, err)

	caller.Timeout = 50 * time.Millisecond
	_, err = caller.Call(t.Context(), request(t, http.MethodGet, "https://localhost:47157/apps/missing"))
	require.ErrorContains(t, err, "no answer within 50ms")
}

// TestAChallengeLeavesItsConnection to the payment, also where it states no length.
func TestAChallengeLeavesItsConnection(t *testing.T) {
	caller, _, captures, _ := captured(t)
	ask := echoed(t)
	ask.Body = nil
	caller.Listing = List(t.Context(), caller.HTTP, ask.Target) // over other connections
	defer caller.Listing.Close()
	remotes := make(map[string]bool)
	caller.HTTP = startedAt(t, httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		remotes[req.RemoteAddr] = true
		captures.ServeHTTP(w, req)
		_ = http.NewResponseController(w).Flush()
	})))
	_, err := caller.Call(t.Context(), ask)
	require.NoError(t, err)
	require.Len(t, remotes, 1)
}

// TestSilenceCountsWhileNothingIsSent: the source of a body may be slow, and so may an answer be that
// has begun.
func TestSilenceCountsWhileNothingIsSent(t *testing.T) {
	ctx, s := limit(t.Context(), time.Hour, true)
	trace := httptrace.ContextClientTrace(ctx)
	trace.WroteHeaders()
	require.False(t, s.timer.Stop(), "while the body is sent")
	trace.WroteRequest(httptrace.WroteRequestInfo{})
	require.True(t, s.timer.Stop(), "after the body")
	s.end()
	trace.WroteRequest(httptrace.WroteRequestInfo{})
	require.False(t, s.timer.Stop(), "an answer came before the end of the body")
}
