package call

import (
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/runner"
)

// TestTheListingsConnectionServesTheCall: an orchestrator that was asked for its list ahead sees
// one connection, and is not asked again.
func TestTheListingsConnectionServesTheCall(t *testing.T) {
	caller, _, r, _ := captured(t)
	var mu sync.Mutex
	asked, from := make(map[string]int), make(map[string]bool)
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		asked[req.URL.Path]++
		from[req.RemoteAddr] = true
		mu.Unlock()
		if req.Header.Get(wire.PaymentHeader) != "" {
			_, _ = io.WriteString(w, "answer")
			return
		}
		r.ServeHTTP(w, req)
	}))
	caller.Answered = func(*http.Response) error { return nil }
	ask := echoed(t)
	caller.Listing = List(t.Context(), caller.HTTP, ask.Target)
	defer caller.Listing.Close()
	caller.Listing.wait()
	result, err := caller.Call(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, 1, result.Payments)
	require.Equal(t, map[string]int{"/discovery": 1, ask.Target.URL.Path: 2}, asked)
	require.Len(t, from, 1, "connections")
}

// TestAListThatCannotBeRead is named as the reason why the unit of a price is not known: the app may
// be listed.
func TestAListThatCannotBeRead(t *testing.T) {
	caller, _, r, _ := captured(t)
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/discovery" {
			http.Error(w, "overloaded", http.StatusServiceUnavailable)
			return
		}
		r.ServeHTTP(w, req)
	}))
	_, err := caller.Call(t.Context(), echoed(t))
	require.ErrorAs(t, err, new(*runner.StatusError))
	require.NotErrorIs(t, err, ErrNoUnit)
}

// TestAListThatDoesNotCome is an orchestrator that does not answer.
func TestAListThatDoesNotCome(t *testing.T) {
	caller, _, r, _ := captured(t)
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/discovery" {
			panic(http.ErrAbortHandler)
		}
		r.ServeHTTP(w, req)
	}))
	_, err := caller.Call(t.Context(), echoed(t))
	require.ErrorContains(t, err, "cannot list the runners of the orchestrator at ")
	require.ErrorIs(t, err, pay.ErrUnreachable)
}

// TestNoSessionAtAURL: the orchestrator's answer to a wrong URL is passed on as that to a single call
// is. It is no malformed challenge.
func TestNoSessionAtAURL(t *testing.T) {
	caller, _, _, _ := captured(t)
	caller.HTTP = servedAt(t, http.NotFoundHandler())
	var answered string
	caller.Answered = func(answer *http.Response) error {
		body, err := io.ReadAll(answer.Body)
		answered = string(body)
		return err
	}
	_, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/nothing/session"), SessionOptions{})
	require.ErrorIs(t, err, ErrApp)
	require.EqualError(t, err, "localhost:47157 answered with status 404; nothing was paid")
	require.Equal(t, "404 page not found\n", answered)
}
