package call

import (
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm/wire"
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
