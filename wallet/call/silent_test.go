package call

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/pay"
)

// TestARequestWithoutAPaymentPaysNothing: an orchestrator that breaks off a request for fresh params,
// or for the end of a session, has received no tickets, and the error mentions none.
func TestARequestWithoutAPaymentPaysNothing(t *testing.T) {
	caller, _, _, _ := captured(t)
	caller.HTTP = servedAt(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	u, err := pay.ParseURL("https://localhost:47157")
	require.NoError(t, err)
	h := &held{Caller: caller, challenge: &Challenge{Offer: &pay.Offer{URL: u}}}
	_, refreshed := h.refresh(t.Context())
	stopped := h.stop(t.Context(), Session{ControlURL: u.String() + "/session/1"})
	for _, err := range []error{refreshed, stopped} {
		require.ErrorIs(t, err, pay.ErrUnreachable)
		require.NotErrorAs(t, err, new(*pay.UnknownOutcomeError))
		require.NotContains(t, err.Error(), "tickets")
	}
}

// TestARefusalOfNoPayment says what the orchestrator, or a proxy before it, did not do. A session has ended
// where it says that, and where it has none.
func TestARefusalOfNoPayment(t *testing.T) {
	caller, _, _, _ := captured(t)
	var status int
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("no"))
	}))
	u, err := pay.ParseURL("https://localhost:47157")
	require.NoError(t, err)
	h := &held{Caller: caller, challenge: &Challenge{Offer: &pay.Offer{URL: u}}}
	session := Session{ControlURL: u.String() + "/session/1"}
	for _, status = range []int{302, 403, 500} {
		err := h.stop(t.Context(), session)
		require.EqualError(t, err, fmt.Sprintf("the orchestrator at https://localhost:47157 did not stop the session (status %d): no", status))
		require.ErrorAs(t, err, new(*pay.RefusedError))
		said, _ := hint.Of(err)
		require.Empty(t, said)
	}
	for _, status = range []int{200, 202, 404, 409, 410} {
		require.NoError(t, h.stop(t.Context(), session), status)
	}
	status = 403
	_, err = h.refresh(t.Context())
	require.ErrorAs(t, err, new(*SessionLostError))
	require.ErrorContains(t, err, "the orchestrator at https://localhost:47157 did not provide fresh ticket params (status 403): no")
}

// TestAnAnswerThatIsTooLate: the error names the bound of this request, and not that there was no
// connection. Of a context that ended, it is the reason for that.
func TestAnAnswerThatIsTooLate(t *testing.T) {
	caller, _, _, _ := captured(t)
	ctx, end := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	caller.HTTP = servedAt(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/interrupted" {
			end(interrupted)
		}
		<-r.Context().Done()
	}))
	u, err := pay.ParseURL("https://localhost:47157")
	require.NoError(t, err)
	_, _, _, err = caller.post(ctx, 50*time.Millisecond, u, u.String()+"/late", make(http.Header), nil)
	require.ErrorIs(t, err, pay.ErrUnreachable)
	require.ErrorContains(t, err, "no answer within 50ms")

	_, _, sent, err := caller.post(ctx, time.Hour, u, u.String()+"/interrupted", make(http.Header), nil)
	require.True(t, sent)
	require.Equal(t, interrupted, err)
}
