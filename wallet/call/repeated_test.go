package call

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm/wire"
)

// bodies answers each paid request, and returns what those have sent.
func bodies(t *testing.T) (*Caller, func() []string) {
	t.Helper()
	caller, _, r, _ := captured(t)
	var got []string
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get(wire.PaymentHeader) == "" {
			r.ServeHTTP(w, req)
			return
		}
		sent, _ := io.ReadAll(req.Body)
		got = append(got, string(sent))
	}))
	return caller, func() []string { return got }
}

// TestARequestThatIsCalledAgain: each call sends all of the body. A body that was read by the first
// call is refused before the second one is paid.
func TestARequestThatIsCalledAgain(t *testing.T) {
	caller, got := bodies(t)
	ask := echoed(t)
	for range 2 {
		_, err := caller.Call(t.Context(), ask)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"{}", "{}"}, got())

	caller, got = bodies(t)
	ask.Body = NewBody(strings.NewReader("{}"), 2)
	_, err := caller.Call(t.Context(), ask)
	require.NoError(t, err)
	result, err := caller.Call(t.Context(), ask)
	require.ErrorIs(t, err, ErrBodyOnce)
	require.Nil(t, result)
	require.Equal(t, []string{"{}"}, got())
}

// TestALargeBodyIsReadBeforeTheChallenge: it could not be sent again with the payment.
func TestALargeBodyIsReadBeforeTheChallenge(t *testing.T) {
	caller, _, _, _ := captured(t)
	caller.HTTP = servedAt(t, http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { _, _ = io.Copy(io.Discard, req.Body) }))
	ask := echoed(t)
	ask.Body = NewBody(strings.NewReader(strings.Repeat("x", maxReplay+1)), -1)
	_, err := caller.Call(t.Context(), ask)
	require.ErrorIs(t, err, ErrBodySent)
	said, _ := hint.Of(err)
	require.Equal(t, "pass --request-id ID: pmctl then keeps the whole body, of at most 16 MiB, to send it again", said)
}

// TestOddRequests: the answer may be left unread, and a body or a URL may be missing.
func TestOddRequests(t *testing.T) {
	for _, empty := range []*Body{{}, NewBody(nil, 7)} {
		caller, got := bodies(t)
		caller.Answered = nil
		ask := echoed(t)
		ask.Body = empty
		result, err := caller.Call(t.Context(), ask)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, result.Status)
		require.Equal(t, []string{""}, got())
	}
	caller, _ := bodies(t)
	_, err := caller.Call(t.Context(), new(Request))
	require.ErrorIs(t, err, ErrURL)
	_, err = caller.Quote(t.Context(), new(Request))
	require.ErrorIs(t, err, ErrURL)
	_, err = caller.Hold(t.Context(), new(Request), SessionOptions{})
	require.ErrorIs(t, err, ErrURL)
}

// TestARedirectLeavesTheRequest: a retry of the request has its digest.
func TestARedirectLeavesTheRequest(t *testing.T) {
	caller, _, r, _ := captured(t)
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if path, ok := strings.CutSuffix(req.URL.Path, "/x/"); ok {
			http.Redirect(w, req, path+"/x", http.StatusPermanentRedirect)
			return
		}
		r.ServeHTTP(w, req)
	}))
	ask := request(t, http.MethodPost, "https://localhost:47157/apps/fixed1/app/x/")
	ask.Body = BytesBody([]byte("{}"))
	before := ask.Digest()
	_, err := caller.Call(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, before, ask.Digest())
}
