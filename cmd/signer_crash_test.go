package cmd

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/store"
)

// crash is the requests that a signer without a memory pays for twice, and what came of them.
type crash struct {
	*shell
	token    string
	replicas []*remoteSigner
	fields   map[string]any

	mu       sync.Mutex
	answers  map[string]int // how often each was given
	payments map[string]*wire.Payment
}

// TestSoakSignerCrashtest is what make crashtest prints. The collector of usage events is down for
// PMCTL_COLLECTOR_DOWN, two seconds unless it is set.
func TestSoakSignerCrashtest(t *testing.T) {
	t.Parallel()
	notInShort(t)
	onEachStore(t, crashtest)
}

func crashtest(t *testing.T, location string) {
	c := &crash{shell: newShell(t, devnet.Config{Recipients: 1}), answers: make(map[string]int), payments: make(map[string]*wire.Payment)}
	count, kind := 1, "SQLite"
	if location != "" {
		c.env["PMCTL_STORE"] = location
		count, kind = 10, "PostgreSQL"
	}
	c.run(exitDone, "fund --deposit 10eth --reserve 10eth --yes")
	const limit = 60_000e9 // gone after some fifty payments
	c.token = c.run(exitDone, fmt.Sprintf("signer client add studio --ev-total %dwei", int64(limit)))["token"].(string)

	down, err := time.ParseDuration(cmp.Or(os.Getenv("PMCTL_COLLECTOR_DOWN"), "2s"))
	require.NoError(t, err)
	up := time.Now().Add(down)
	var mu sync.Mutex
	events := make(map[string]int)
	collector := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || time.Now().Before(up) {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		var list []struct{ ID string }
		var one struct{ ID string }
		if json.Unmarshal(body, &list) != nil {
			_ = json.Unmarshal(body, &one)
			list = append(list, one)
		}
		for _, e := range list {
			events[e.ID]++
		}
	}))
	t.Cleanup(collector.Close)
	file := filepath.Join(t.TempDir(), "collector")
	require.NoError(t, os.WriteFile(file, []byte(collector.URL+"\n"), 0o600))
	start := func() {
		c.replicas = nil
		for range count {
			c.replicas = append(c.replicas, c.serveSigner("--rate 0 --max-total-ev 1eth --usage-file "+file))
		}
	}
	start()
	info := c.replicas[0].offerFor(c.token, c.net.Recipients()[0].State().URL)
	offer := new(wire.OrchestratorInfo)
	require.NoError(t, proto.Unmarshal(info, offer))
	c.fields = map[string]any{"orchestrator": info, "inPixels": 1_200e9 * offer.PriceInfo.PixelsPerUnit / offer.PriceInfo.PricePerUnit, "ManifestID": "m"}

	_, first := c.ask(0, nil)
	second := first
	for range 100 {
		_, second = c.ask(0, first)
	}
	var atOnce errgroup.Group
	for i := range 100 {
		atOnce.Go(func() error {
			if status, _ := c.ask(i, second); status != http.StatusOK {
				return fmt.Errorf("status %d", status)
			}
			return nil
		})
	}
	require.NoError(t, atOnce.Wait())
	for _, r := range c.replicas {
		r.stop()
	}
	start()
	_, third := c.ask(0, second)
	refused := 0
	for state, status := third, 0; refused == 0; {
		if status, state = c.ask(len(c.payments), state); status == store.StatusAllowance {
			refused++
		}
	}

	signed, twice := new(big.Rat), 0
	nonces := make(map[string]bool)
	for _, payment := range c.payments {
		params, err := wire.ToTicketParams(payment.TicketParams)
		require.NoError(t, err)
		for _, ticket := range payment.TicketSenderParams {
			nonce := fmt.Sprintf("%x %d", payment.TicketParams.RecipientRandHash, ticket.SenderNonce)
			if nonces[nonce] {
				twice++
			}
			nonces[nonce] = true
			signed.Add(signed, params.EV())
		}
	}
	over := new(big.Rat).Sub(signed, new(big.Rat).SetInt64(limit))
	if over.Sign() < 0 {
		over.SetInt64(0)
	}
	delivered := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(events)
	}
	// The waits between attempts double: the next one is as long after the collector's return as it
	// was down, at most.
	require.Eventually(t, func() bool { return delivered() >= len(c.payments) }, 2*down+time.Minute, 50*time.Millisecond)
	repeated := 0
	for _, n := range c.answers {
		repeated += n - 1
	}
	t.Logf("%s, replicas: %d: %d payments of %d tickets, %d answers repeated byte for byte; collector down for %v\n"+
		"signed twice   %d\nover the cap   %s wei\nevents lost    %d", kind, count, len(c.payments), len(nonces), repeated, down,
		twice, over.FloatString(0), len(c.payments)-delivered())
	require.Zero(t, twice)
	require.Zero(t, over.Sign())
	require.Equal(t, len(c.payments), delivered())
	require.GreaterOrEqual(t, repeated, 198)
}

// ask asks one of the signers for the payment after a state, nil for the first one, and returns the
// state after that.
func (c *crash) ask(replica int, state json.RawMessage) (int, json.RawMessage) {
	fields := make(map[string]any)
	for name, value := range c.fields {
		fields[name] = value
	}
	if state != nil {
		fields["state"] = state
	}
	status, body := c.replicas[replica%len(c.replicas)].post("/generate-live-payment", c.token, fields)
	if status != http.StatusOK {
		return status, state
	}
	var answer signed
	require.NoError(c.t, json.Unmarshal(body, &answer))
	payment := new(wire.Payment)
	require.NoError(c.t, proto.Unmarshal(answer.Payment, payment))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[string(body)]++
	c.payments[string(answer.Payment)] = payment
	return status, answer.State
}
