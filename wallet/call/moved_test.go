package call

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// TestARecipientThatChangesWithAPayment: the orchestrator takes a session's payment, and asks for the
// next one for another address. The session ends, and the payment that was taken is reported and
// recorded as that.
func TestARecipientThatChangesWithAPayment(t *testing.T) {
	caller, account, r, clock := captured(t)
	account.Payer.Limits.NonceCap = 84 // as in capturedPixels
	account.Request = &store.Request{ID: "job-17", Digest: "digest"}
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		recorded := httptest.NewRecorder()
		r.ServeHTTP(recorded, req)
		body := recorded.Body.Bytes()
		if req.URL.Path == "/apps/lv1/session/6a5ce404/payment" {
			result := new(wire.PaymentResult)
			assert.NoError(t, proto.Unmarshal(body, result))
			result.Info.TicketParams.Recipient = common.Address{7}.Bytes()
			body, _ = proto.Marshal(result)
		}
		for name, values := range recorded.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(body)
	}))
	result, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session"), SessionOptions{
		Run: func(ctx context.Context, _ Session) error {
			clock.Tick(ctx, betweenPayments)
			<-ctx.Done()
			return nil
		},
	})
	require.ErrorAs(t, err, new(*pay.OtherRecipientError))
	require.Equal(t, 2, result.Payments)
	require.EqualValues(t, 89, result.Tickets)
	p, err := account.Recorded(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, store.Accepted, p.Record.State)
}
