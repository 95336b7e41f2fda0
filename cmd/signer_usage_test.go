package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/internal/oneday"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// usageEvent is what a collector reads of an event.
type usageEvent struct {
	ID, Source, Type, Subject string
	Data                      struct {
		NumTickets int    `json:"num_tickets"`
		AuthID     string `json:"auth_id"`
		Percent    int
		Seconds    int64
		Bound      int64 `json:"bound_seconds"`
	}
}

// usageCollector is an operator's server for usage events.
type usageCollector struct {
	t      *testing.T
	server *httptest.Server

	// lossy loses answers, and refuses events.
	lossy bool

	mu  sync.Mutex
	got []usageEvent
	// lose is how many answers are lost, of which the events were taken.
	lose int
	new  chan struct{} // holds a value when there may be more
}

func newUsageCollector(t *testing.T) *usageCollector {
	c := &usageCollector{t: t, new: make(chan struct{}, 1)}
	c.server = httptest.NewServer(c)
	t.Cleanup(c.server.Close)
	return c
}

// file is what --usage-file names.
func (c *usageCollector) file() string {
	path := filepath.Join(c.t.TempDir(), "collector")
	require.NoError(c.t, os.WriteFile(path, []byte(c.server.URL+"/usage\nAuthorization: Bearer collector-secret\n"), 0o600))
	return path
}

func (c *usageCollector) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer collector-secret" || c.lossy && rand.IntN(4) == 0 {
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the signer was killed
	}
	var events []usageEvent
	if r.Header.Get("Content-Type") == "application/cloudevents+json" {
		events = make([]usageEvent, 1)
		err = json.Unmarshal(body, &events[0])
	} else {
		err = json.Unmarshal(body, &events)
	}
	if err != nil {
		c.t.Error(errors.Join(err, errors.New(string(body))))
	}
	c.mu.Lock()
	c.got = append(c.got, events...)
	lost := c.lose > 0
	c.lose--
	c.mu.Unlock()
	select {
	case c.new <- struct{}{}:
	default:
	}
	if lost || c.lossy && rand.IntN(4) == 0 {
		panic(http.ErrAbortHandler)
	}
}

// first waits for so many events, and returns them without copies of earlier ones.
func (c *usageCollector) first(count int) []usageEvent {
	for {
		c.mu.Lock()
		seen := make(map[string]bool)
		first := slices.DeleteFunc(slices.Clone(c.got), func(e usageEvent) bool {
			name := e.Source + " " + e.ID
			known := seen[name]
			seen[name] = true
			return known
		})
		c.mu.Unlock()
		if len(first) >= count {
			return first
		}
		select {
		case <-c.new:
		case <-c.t.Context().Done():
			c.t.FailNow()
		}
	}
}

// TestUsageIsDelivered: a payment's event gets to the operator's collector.
func TestUsageIsDelivered(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio")["token"].(string)
	c := newUsageCollector(t)
	r := s.serveSigner("--usage-retention 24h --usage-file " + c.file())
	info := r.offerFor(token, s.net.Recipients()[0].State().URL)
	code, body := r.post("/generate-live-payment", token, map[string]any{"orchestrator": info, "type": "live", "ManifestID": "m"})
	require.Equal(t, http.StatusOK, code, string(body))
	var answer signed
	require.NoError(t, json.Unmarshal(body, &answer))
	payment := new(wire.Payment)
	require.NoError(t, proto.Unmarshal(answer.Payment, payment))

	got := c.first(1)
	require.Len(t, got, 1)
	require.Equal(t, "create_signed_ticket", got[0].Type)
	require.Equal(t, "studio", got[0].Subject)
	require.Equal(t, "studio", got[0].Data.AuthID)
	require.Equal(t, len(payment.TicketSenderParams), got[0].Data.NumTickets)
	ended, log := r.stop()
	require.Equal(t, exitDone, ended, log)
	require.NotContains(t, log, "collector-secret")
}

// TestUsageByClient: each winner on the chain is matched to the client whose ticket it was.
func TestUsageByClient(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1, RoundLength: 1000})
	s.env["XDG_CACHE_HOME"] = t.TempDir()
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	r := s.serveSigner("")
	recipient := s.net.Recipients()[0].State()
	owner, made := make(map[string]string), make(map[string]int)
	for range 6 {
		for _, name := range []string{"ann", "bob"} {
			if made[name] == 0 {
				s.env["TOKEN_"+name] = s.run(exitDone, "signer client add "+name)["token"].(string)
			}
			info := r.offerFor(s.env["TOKEN_"+name], recipient.URL)
			offered := new(wire.OrchestratorInfo)
			require.NoError(t, proto.Unmarshal(info, offered))
			tickets := 9_600e9 * offered.PriceInfo.PixelsPerUnit / offered.PriceInfo.PricePerUnit
			code, body := r.post("/generate-live-payment", s.env["TOKEN_"+name], map[string]any{"orchestrator": info, "inPixels": tickets, "ManifestID": "m"})
			require.Equal(t, http.StatusOK, code, string(body))
			var answer signed
			require.NoError(t, json.Unmarshal(body, &answer))
			made[name] += r.deliver(recipient.URL, answer)
			payment := new(wire.Payment)
			require.NoError(t, proto.Unmarshal(answer.Payment, payment))
			for _, ticket := range payment.TicketSenderParams {
				owner[fmt.Sprintf("0x%x %d", payment.TicketParams.RecipientRandHash, ticket.SenderNonce)] = name
			}
		}
	}
	own := s.run(exitDone, "pay "+recipient.URL+" --value 3000gwei")
	require.NoError(t, s.net.Mine(t.Context(), 41))
	s.winners(recipient.StatusURL)

	// Each redemption has its client's name, and no other.
	won, paid := make(map[string]int), map[string]*big.Int{"ann": new(big.Int), "bob": new(big.Int), "": new(big.Int)}
	for _, e := range s.run(exitDone, "history")["events"].([]any) {
		redemption, ok := e.(map[string]any)["redemption"].(map[string]any)
		if !ok {
			continue
		}
		name := owner[fmt.Sprint(redemption["recipient_rand_hash"], " ", redemption["nonce"])]
		client, _ := redemption["made"].(map[string]any)["client"].(string)
		require.Equal(t, name, client)
		won[name]++
		paid[name].Add(paid[name], s.number(redemption, "paid"))
	}
	require.Positive(t, won["ann"]+won["bob"])

	clients := s.run(exitDone, "signer usage")["clients"].([]any)
	require.Len(t, clients, 3)
	for i, name := range []string{"", "ann", "bob"} {
		c := clients[i].(map[string]any)
		luck := c["luck"].(map[string]any)
		if name == "" {
			require.NotContains(t, c, "client")
			require.Equal(t, own["tickets"], c["tickets"])
		} else {
			require.Equal(t, name, c["client"])
			require.EqualValues(t, made[name], c["tickets"])
			require.EqualValues(t, 6, c["payments"])
			require.Equal(t, c["total_ev_exact"], luck["total_ev_exact"], "all of them were drawn")
		}
		require.EqualValues(t, won[name], luck["wins"], name)
		require.Equal(t, paid[name].String(), luck["paid"])
		if name == "" {
			continue
		}
		alone := s.run(exitDone, "history --client "+name)
		require.Equal(t, name, alone["client"])
		require.Len(t, alone["events"], won[name], "fundings are of no client")
		require.Equal(t, luck, alone["luck"])
		one := s.run(exitDone, "signer usage --client "+name)["clients"].([]any)
		require.Equal(t, []any{c}, one)
	}
	s.run(exitFailed, "history --client nina")
	s.run(exitFailed, "signer usage --client nina")
}

// TestOperatorIsNotified: of budgets that are nearly and all spent, refused recipients and an
// unlock; once of each, also after the signer was stopped in between and an answer was lost.
func TestOperatorIsNotified(t *testing.T) {
	t.Parallel()
	oneday.For(t, time.Minute)
	s := newShell(t, devnet.Config{Recipients: 1, RoundLength: 1000})
	s.env["XDG_CACHE_HOME"] = t.TempDir()
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio --ev-per-day 13500gwei")["token"].(string)
	narrow := s.run(exitDone, "signer client add narrow --recipient 0x00000000000000000000000000000000000A11cE")["token"].(string)
	c := newUsageCollector(t)
	c.lose = 1
	serve := func() *remoteSigner { return s.serveSigner("--events-file " + c.file()) }

	r := serve()
	recipient := s.net.Recipients()[0].State()
	info := r.offerFor(token, recipient.URL)
	offered := new(wire.OrchestratorInfo)
	require.NoError(t, proto.Unmarshal(info, offered))
	tickets := 12_000e9 * offered.PriceInfo.PixelsPerUnit / offered.PriceInfo.PricePerUnit
	request := map[string]any{"orchestrator": info, "inPixels": tickets, "ManifestID": "m"}
	code, body := r.post("/generate-live-payment", token, request)
	require.Equal(t, http.StatusOK, code, string(body))
	for range 3 {
		code, body = r.post("/generate-live-payment", token, request)
		require.Equal(t, 483, code, string(body))
		code, body = r.post("/generate-live-payment", narrow, request)
		require.Equal(t, http.StatusForbidden, code, string(body))
	}
	ended, log := r.stop()
	require.Equal(t, exitDone, ended, log)

	s.run(exitDone, "unlock --yes")
	r = serve()
	count := make(map[string]int)
	for _, e := range c.first(4) {
		count[fmt.Sprint(e.Type, " ", e.Subject, " ", e.Data.Percent)]++
	}
	ended, log = r.stop()
	require.Equal(t, exitDone, ended, log)
	require.Equal(t, map[string]int{
		"pmctl.signer.budget studio 80": 1, "pmctl.signer.budget studio 100": 1, "pmctl.signer.recipient_refused narrow 0": 1,
		"pmctl.signer.unlock  0": 1,
	}, count, log)
	require.Len(t, c.first(4), 4)
	require.NotContains(t, log, "collector-secret")
}

// TestAShortRunwayIsNotified: the event about a deposit that may soon be empty is raised once, and
// sent again where the answer was lost.
func TestAShortRunwayIsNotified(t *testing.T) {
	t.Parallel()
	oneday.For(t, time.Minute)
	s := newShell(t, devnet.Config{Recipients: 1, RoundLength: 1000})
	s.env["XDG_CACHE_HOME"] = t.TempDir()
	s.run(exitDone, "fund --deposit 0.0001eth --reserve 0.1eth --yes")
	c := newUsageCollector(t)
	c.lose = 1
	serve := func() *remoteSigner {
		return s.serveSigner("--admin-listen 127.0.0.1:0 --runway-below 30d --events-file " + c.file())
	}
	// A forecast needs payments in two of the fourteen parts of the time since the first, however
	// slow the machine is: a signer's whole life lies between them.
	for range 2 { // a signer looks once more when it is stopped
		for range 5 {
			s.run(exitDone, "pay "+s.net.Recipients()[0].State().URL+" --value 5000gwei")
		}
		r := serve()
		require.Eventually(t, func() bool {
			status, _ := r.watch(http.MethodGet, "/runway.svg")
			return status == http.StatusOK
		}, time.Minute, 50*time.Millisecond)
		ended, log := r.stop()
		require.Equal(t, exitDone, ended, log)
	}
	r := serve()
	first := c.first(1)
	require.Equal(t, "pmctl.signer.runway", first[0].Type)
	require.EqualValues(t, 30*24*3600, first[0].Data.Bound)
	require.Less(t, first[0].Data.Seconds, first[0].Data.Bound)
	require.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return len(c.got) > 1
	}, time.Minute, 50*time.Millisecond)
	_, log := r.stop()
	require.Len(t, c.first(1), 1, log)
}
