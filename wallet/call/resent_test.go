package call

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// TestARequestThatTheClientSendsAgain: over HTTP/1.1 a kept connection that ends without an answer
// has the HTTP client send a GET again. The orchestrator refuses the tickets, since it has them: that
// is not a refusal of the payment.
func TestARequestThatTheClientSendsAgain(t *testing.T) {
	caller, account, r, _ := captured(t)
	ask := request(t, http.MethodGet, "https://localhost:47157/apps/fixed1/app/x")
	account.Request = &store.Request{ID: "job-17", Digest: ask.Digest()}
	paid := 0
	http1 := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.Method = http.MethodPost // as it was captured
		if req.Header.Get(wire.PaymentHeader) == "" {
			r.ServeHTTP(w, req)
			return
		}
		if paid++; paid == 1 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "invalid ticket senderNonce: already seen sender=0x23 nonce=5\n")
	}))
	caller.HTTP = startedAt(t, http1)
	_, err := caller.Call(t.Context(), ask)
	require.Equal(t, 2, paid)
	unknown, ok := errors.AsType[*pay.UnknownOutcomeError](err)
	require.True(t, ok, "%v", err)
	require.True(t, unknown.Again)
	require.ErrorIs(t, err, pm.ErrNonceReplayed)
	p, err := account.Recorded(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, store.Sent, p.Record.State)
}

// TestARefusalOfTicketsThatAnotherProcessSent: it sends the tickets of the same request before the
// orchestrator answers, which then refuses them here. They may have been accepted there.
func TestARefusalOfTicketsThatAnotherProcessSent(t *testing.T) {
	caller, account, r, _ := captured(t)
	account.Request = &store.Request{ID: "job-17", Digest: echoed(t).Digest()}
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get(wire.PaymentHeader) == "" {
			r.ServeHTTP(w, req)
			return
		}
		other, err := account.Recorded(t.Context(), 0)
		assert.NoError(t, err)
		assert.NoError(t, account.Begin(t.Context(), other))
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "invalid ticket senderNonce: already seen sender=0x23 nonce=5\n")
	}))
	_, err := caller.Call(t.Context(), echoed(t))
	unknown, ok := errors.AsType[*pay.UnknownOutcomeError](err)
	require.True(t, ok, "%v", err)
	require.True(t, unknown.Again)
	p, err := account.Recorded(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, store.Sent, p.Record.State)
}

// TestARetryWithOtherHeaders sends the same tickets with them, such as a new Authorization.
func TestARetryWithOtherHeaders(t *testing.T) {
	caller, account, r, _ := captured(t)
	var payments, tokens []string
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if payment := req.Header.Get(wire.PaymentHeader); payment != "" {
			payments, tokens = append(payments, payment), append(tokens, req.Header.Get("Authorization"))
			if len(payments) == 1 {
				panic(http.ErrAbortHandler)
			}
		}
		r.ServeHTTP(w, req)
	}))
	ask := echoed(t)
	ask.Header = http.Header{"Authorization": {"Bearer expired"}}
	account.Request = &store.Request{ID: "job-17", Digest: ask.Digest()}
	_, err := caller.Call(t.Context(), ask)
	require.ErrorAs(t, err, new(*pay.UnknownOutcomeError))

	again := echoed(t)
	again.Header = http.Header{"Authorization": {"Bearer new"}}
	require.Equal(t, ask.Digest(), again.Digest())
	_, err = caller.Call(t.Context(), again)
	require.NoError(t, err)
	require.Equal(t, []string{"Bearer expired", "Bearer new"}, tokens)
	require.Equal(t, payments[0], payments[1])
}
