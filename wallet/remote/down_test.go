package remote_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote/identity"
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
