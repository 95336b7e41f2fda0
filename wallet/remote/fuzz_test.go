package remote_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/pmctl/pmctl/wallet/remote/identity"
)

// FuzzGenerateLivePayment: any body gets an answer of the protocol.
func FuzzGenerateLivePayment(f *testing.F) {
	list, key := captured(f, "signer_errors_and_payments")
	w := newWorld(f, key, 100, identity.None{}, nil, nil)
	for _, c := range list {
		if len(c.Request.Body) > 0 {
			f.Add([]byte(c.Request.Body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w.now = w.now.Add(1e9) // so that the client's rate is not exceeded
		w.log.Reset()
		r := httptest.NewRequest(http.MethodPost, "/generate-live-payment", bytes.NewReader(body))
		answer := httptest.NewRecorder()
		w.server.Config.Handler.ServeHTTP(answer, r)
		var document struct {
			Payment []byte
			Error   struct{ Message string }
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
			t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
		}
		switch answer.Code {
		case http.StatusOK:
			if len(document.Payment) == 0 {
				t.Fatal("200 without a payment")
			}
		case http.StatusBadRequest, 480, 481, 482:
			if document.Error.Message == "" {
				t.Fatalf("%d without a reason", answer.Code)
			}
		default:
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
	})
}
