package remote_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// unavailable fails unless a request gets 503, which leaves its reason to the log.
func (a *asker) unavailable(t *testing.T) {
	t.Helper()
	res, body := a.send(t, nil, nil)
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode, string(body))
	require.JSONEq(t, `{"error":{"message":"Service Unavailable Error"}}`, string(body))
}

// paid fails unless a request is paid, with the first nonces of its ticket params.
func (a *asker) paid(t *testing.T) {
	t.Helper()
	require.Equal(t, "0 payments, 0 nonces", a.recorded(t))
	res, body := a.send(t, nil, nil)
	require.Equal(t, http.StatusOK, res.StatusCode, string(body))
	require.True(t, json.Valid(body))
}

// silent is a store that accepts requests and does not answer.
type silent struct{ remote.Ledger }

func (silent) Pay(ctx context.Context, _ store.LiveRequest) (*store.LivePayment, error) {
	<-ctx.Done()
	return nil, fmt.Errorf("record the payment: %w", ctx.Err())
}

// TestTheStoreDoesNotAnswer: a client gets an answer, which says to ask again, before the server
// would close its connection.
func TestTheStoreDoesNotAnswer(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	a := newAsker(t, newWorld(t, key, 100, identity.None{}, nil, nil, func(p *remote.Payer) { p.Ledger = silent{} }))
	a.config.Patience = time.Millisecond
	signer, err := remote.New(t.Context(), a.config)
	require.NoError(t, err)
	a.server = httptest.NewServer(described(t, signer.Handler()))
	defer a.server.Close()
	a.unavailable(t)
	require.Contains(t, a.log.String(), `"error":"no answer within 1ms: record the payment: context deadline exceeded"`)
}

// TestSoakTheDatabaseIsDown: nothing is signed without the store, and all works when it is back.
func TestSoakTheDatabaseIsDown(t *testing.T) {
	var server pgtest.Server
	t.Cleanup(server.Stop) // after the store is closed
	_, key := captured(t, "signer_errors_and_payments")
	a := newAsker(t, newWorldAt(t, server.Database(t), key, 100, identity.None{}, nil, nil))
	server.Crash(t, true)
	a.unavailable(t)
	server.Start(t)
	a.paid(t)
}
