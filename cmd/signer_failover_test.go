package cmd

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// TestSoakSignerFailover ends the database of three signers while clients pay through them, and
// starts it again. A client that is answered 503 repeats its request. No nonce is signed twice, no
// allowance is exceeded, every payment is recorded once, and a request that is repeated gets the
// same bytes. A standby that is promoted may lack the last payments: nothing more is signed for a
// client with an allowance until the operator has acknowledged that, and nothing ever with ticket
// params from before.
func TestSoakSignerFailover(t *testing.T) {
	t.Parallel()
	notInShort(t)
	var server pgtest.Server
	defer server.Stop()
	calls := soakRuns(t, 200, 500, 5000)
	f := newSignerFleet(t, server.Database(t))
	for range 3 {
		f.urls = append(f.urls, f.serveSigner("--rate 0 --max-total-ev 1eth").url)
	}
	require.NoError(t, f.pay(calls, func(left int64) {
		if left == int64(calls/3) || left == int64(calls*2/3) {
			server.Crash(t, left == int64(calls/3))
			server.Start(t)
		}
	}))
	f.checkPayments()

	token := f.run(exitDone, "signer client add another --ev-total 1eth")["token"].(string)
	signer := f.serveSigner("--max-total-ev 1eth")
	request := map[string]any{"orchestrator": f.offer(nil), "type": "live", "ManifestID": "m"}
	pay := func(want int) (answer signed) {
		t.Helper()
		status, body := signer.post("/generate-live-payment", token, request)
		require.Equal(t, want, status, string(body))
		if status == http.StatusOK {
			require.NoError(t, json.Unmarshal(body, &answer))
		}
		return answer
	}
	status, _ := signer.post("/generate-live-payment", token, request)
	if status == live.StatusRefresh { // the load has used its params up
		request["orchestrator"] = f.offer(f.info)
	}
	request["state"] = pay(http.StatusOK).State
	server.Crash(t, false)
	server.StartAsStandby(t)
	pgtest.Exec(t, f.env["PMCTL_STORE"], `SELECT 1 / pg_promote()::int`)
	pay(http.StatusServiceUnavailable) // which retires the sessions
	pay(live.StatusRefresh)
	request["orchestrator"] = f.offer(f.info)
	for range 3 {
		pay(http.StatusServiceUnavailable)
	}
	f.run(exitDone, "store acknowledge --yes")
	pay(http.StatusOK)
}
