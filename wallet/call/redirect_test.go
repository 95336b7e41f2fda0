package call

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// TestARetryGoesWhereThePaymentWas: the orchestrator sends the unpaid request from /x/ to /x. A
// retry, which asks for no challenge, delivers the same tickets there, and not to the redirect.
func TestARetryGoesWhereThePaymentWas(t *testing.T) {
	caller, account, r, _ := captured(t)
	moved := func() *Request {
		ask := request(t, http.MethodPost, "https://localhost:47157/apps/fixed1/app/x/")
		ask.Body = BytesBody([]byte("{}"))
		return ask
	}
	account.Request = &store.Request{ID: "job-17", Digest: moved().Digest()}
	paidAt := []string{}
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get(wire.PaymentHeader) != "" {
			paidAt = append(paidAt, req.URL.Path)
		}
		if strings.HasSuffix(req.URL.Path, "/x/") {
			http.Redirect(w, req, strings.TrimSuffix(req.URL.Path, "/"), http.StatusPermanentRedirect)
			return
		}
		r.ServeHTTP(w, req)
	}))
	r.losesAnswer = true
	_, err := caller.Call(t.Context(), moved())
	require.ErrorAs(t, err, new(*pay.UnknownOutcomeError))
	_, err = caller.Call(t.Context(), moved())
	require.ErrorAs(t, err, new(*pay.UnknownOutcomeError), "the orchestrator has the tickets already")
	require.Equal(t, []string{"/apps/fixed1/app/x", "/apps/fixed1/app/x"}, paidAt)
}
