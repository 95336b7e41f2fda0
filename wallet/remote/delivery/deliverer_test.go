package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/oneday"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/delivery"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

var server pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

func onEach(t *testing.T, test func(*testing.T, string)) {
	for name, place := range map[string]func(testing.TB) string{
		"SQLite":     func(t testing.TB) string { return filepath.Join(t.TempDir(), "store.db") },
		"PostgreSQL": server.Database,
	} {
		t.Run(name, func(t *testing.T) {
			oneday.For(t, time.Minute)
			test(t, place(t))
		})
	}
}

// ledger is a store in which clients pay.
type ledger struct {
	*store.Store
	t    *testing.T
	ids  map[string]string
	made map[string][]string // event IDs by client, in order
}

func newLedger(t *testing.T, location string, clients ...string) *ledger {
	l := &ledger{Store: open(t, location), t: t, ids: make(map[string]string), made: make(map[string][]string)}
	for _, name := range clients {
		client, err := l.Clients().Add(t.Context(), store.Client{Name: name}, store.Credential{Kind: "token", Value: name})
		require.NoError(t, err)
		l.ids[name] = client.ID
	}
	return l
}

func open(t *testing.T, location string) *store.Store {
	s, err := store.Open(t.Context(), location)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// pay records so many payments of each client.
func (l *ledger) pay(each int, clients ...string) {
	l.t.Helper()
	params := &pm.TicketParams{
		Recipient: common.Address{0xbb}, FaceValue: big.NewInt(1000), WinProb: new(big.Int).Lsh(big.NewInt(1), 250),
		Seed: big.NewInt(1), ExpirationBlock: big.NewInt(1 << 40), RecipientRandHash: common.Hash{1},
	}
	var requests []store.LiveRequest
	for range each {
		for _, name := range clients {
			requests = append(requests, store.LiveRequest{
				Request: live.Request{
					Orchestrator: common.Address{0xbb}, Type: live.Pixels, InPixels: 1, Price: live.Price{PerUnit: 1, Pixels: 1}, TicketEV: params.EV(), At: time.Now(),
				},
				Client: l.ids[name], Info: "info", Params: params, ManifestID: "m",
				Usage: func(p *store.LivePayment, _ *live.Bill, _ *live.Session) ([]byte, error) {
					id := fmt.Sprint(p.Position)
					l.made[name] = append(l.made[name], id)
					return json.Marshal(event{ID: id, Subject: name})
				},
			})
		}
	}
	outcomes, err := l.Chain(1).LivePayments(common.Address{1}).PayAll(l.t.Context(), requests)
	require.NoError(l.t, err)
	for _, outcome := range outcomes {
		require.NoError(l.t, outcome.Err)
	}
}

type event struct {
	ID      string `json:"id"`
	Subject string `json:"subject"`
}

// collector is an operator's server, which can be down, wrong and slow.
type collector struct {
	t       *testing.T
	address string
	server  *httptest.Server

	mu     sync.Mutex
	got    []event
	answer func(*http.Request, []event) int // after the events were noted; 0 closes the connection
	before func([]event)
}

func newCollector(t *testing.T) *collector {
	c := &collector{t: t, address: "127.0.0.1:0"}
	c.start()
	return c
}

func (c *collector) start() {
	l, err := net.Listen("tcp", c.address)
	require.NoError(c.t, err)
	c.address = l.Addr().String()
	c.server = &httptest.Server{Listener: l, Config: &http.Server{Handler: c}}
	c.server.Start()
	c.t.Cleanup(c.server.Close)
}

func (c *collector) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var events []event
	var body bytes.Buffer
	_, err := body.ReadFrom(r.Body)
	switch r.Header.Get("Content-Type") {
	case "application/cloudevents-batch+json":
		err = errors.Join(err, json.Unmarshal(body.Bytes(), &events))
	case "application/cloudevents+json":
		events = make([]event, 1)
		err = errors.Join(err, json.Unmarshal(body.Bytes(), &events[0]))
	default:
		err = errors.New(r.Header.Get("Content-Type"))
	}
	if err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	before, answer := c.before, c.answer
	c.mu.Unlock()
	if before != nil {
		before(events)
	}
	status := http.StatusNoContent
	if answer != nil {
		status = answer(r, events)
	}
	if status == http.StatusUnsupportedMediaType {
		rw.WriteHeader(status)
		return
	}
	if status/100 == 2 || status == 0 {
		c.mu.Lock()
		c.got = append(c.got, events...)
		c.mu.Unlock()
	}
	if status == 0 {
		panic(http.ErrAbortHandler) // the answer is lost
	}
	rw.WriteHeader(status)
}

func (c *collector) set(answer func(*http.Request, []event) int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = answer
}

// first returns the IDs of a client's events without the copies of earlier ones.
func (c *collector) first(client string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []string
	for _, e := range c.got {
		if e.Subject == client && !slices.Contains(ids, e.ID) {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

func (c *collector) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.got)
}

// replica is a running deliverer, of which the test decides when it looks again.
type replica struct {
	log  *bytes.Buffer
	idle chan struct{}
	tick chan time.Time
	stop context.CancelFunc
	done chan struct{}

	mu  sync.Mutex
	now time.Time
}

func (c *collector) run(s *store.Store) *replica {
	return c.runTo(s, delivery.NewEndpoint("http://"+c.address+"/events?key=secret", http.Header{"Authorization": {"Bearer secret"}}))
}

func (c *collector) runTo(s *store.Store, to *delivery.Endpoint) *replica {
	r := &replica{log: new(bytes.Buffer), idle: make(chan struct{}, 1), tick: make(chan time.Time), done: make(chan struct{}), now: time.Now()}
	d := delivery.New("usage", remote.UsageOutbox(s), to, slog.New(slog.NewTextHandler(r.log, nil)))
	d.Now = func() time.Time {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.now
	}
	d.After = func(time.Duration) <-chan time.Time {
		r.idle <- struct{}{}
		return r.tick
	}
	ctx, stop := context.WithCancel(c.t.Context())
	r.stop = stop
	go func() {
		defer close(r.done)
		d.Run(ctx)
	}()
	c.t.Cleanup(r.end)
	<-r.idle
	return r
}

// again has the deliverer look once more after a time.
func (r *replica) again(after time.Duration) {
	r.mu.Lock()
	r.now = r.now.Add(after)
	r.mu.Unlock()
	r.tick <- time.Time{}
	<-r.idle
}

func (r *replica) end() {
	r.stop()
	<-r.done
}

func TestDelivery(t *testing.T) {
	onEach(t, func(t *testing.T, location string) {
		l, c := newLedger(t, location, "ann", "bob"), newCollector(t)
		c.set(func(r *http.Request, _ []event) int {
			if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer secret" || r.URL.Query().Get("key") != "secret" {
				return http.StatusForbidden
			}
			return http.StatusOK
		})
		l.pay(250, "ann", "bob")
		l.pay(1, "") // of no client
		r := c.run(l.Store)
		require.Equal(t, 501, c.count())
		for _, client := range []string{"ann", "bob", ""} {
			require.Equal(t, l.made[client], c.first(client))
		}
		l.pay(1, "bob")
		r.again(time.Second)
		require.Equal(t, 502, c.count(), "nothing is sent again")
		require.Equal(t, l.made["bob"], c.first("bob"))
		require.Empty(t, r.log.String())
	})
}

// A collector that is down for days gets everything once it is up, in order, also from another
// process.
func TestDeliveryAfterDays(t *testing.T) {
	onEach(t, func(t *testing.T, location string) {
		l, c := newLedger(t, location, "ann", "bob"), newCollector(t)
		c.server.Close()
		l.pay(3, "ann", "bob")
		r := c.run(l.Store)
		for range 30 {
			r.again(6 * time.Hour)
		}
		require.Contains(t, r.log.String(), "cannot deliver events; they are kept and retried")
		require.NotContains(t, r.log.String(), "secret")
		l.pay(3, "ann")
		r.end()

		c.start()
		r = c.run(open(t, location))
		r.again(time.Second)
		require.Equal(t, l.made["ann"], c.first("ann"))
		require.Equal(t, l.made["bob"], c.first("bob"))
		require.Equal(t, 9, c.count())
	})
}

// An event whose acknowledgement was lost is sent again, and the order of first copies stays.
func TestDeliveryOfLostAnswers(t *testing.T) {
	l, c := newLedger(t, filepath.Join(t.TempDir(), "store.db"), "ann"), newCollector(t)
	l.pay(5, "ann")
	c.set(func(*http.Request, []event) int { return 0 })
	r := c.run(l.Store)
	l.pay(2, "ann")
	c.set(nil)
	r.again(time.Second / 4)
	require.Equal(t, 5, c.count(), "it waits at least half of the pause")
	r.again(time.Minute)
	require.Equal(t, 12, c.count())
	require.Equal(t, l.made["ann"], c.first("ann"))
	require.Contains(t, r.log.String(), `msg="events are delivered again" delivery=usage queue=ann failures=1`)
}

// A client whose event is refused waits alone, for ever if need be.
func TestDeliveryRefused(t *testing.T) {
	l, c := newLedger(t, filepath.Join(t.TempDir(), "store.db"), "ann", "bob"), newCollector(t)
	l.pay(3, "ann", "bob")
	c.set(func(_ *http.Request, events []event) int {
		if events[0].Subject == "ann" {
			return http.StatusUnprocessableEntity
		}
		return http.StatusOK
	})
	r := c.run(l.Store)
	require.Equal(t, l.made["bob"], c.first("bob"))
	require.Contains(t, r.log.String(), `level=ERROR msg="the server refuses an event; it is kept and retried" delivery=usage queue=ann event=1 failures=1`)
	require.Contains(t, r.log.String(), "it answered with HTTP status 422")
	for range 20 {
		l.pay(1, "bob")
		r.again(time.Hour)
	}
	require.Equal(t, l.made["bob"], c.first("bob"))
	require.Empty(t, c.first("ann"))
	c.set(nil)
	r.again(time.Hour)
	require.Equal(t, l.made["ann"], c.first("ann"))
}

// One event that the collector refuses keeps back those after it alone, and the log names it: those before it arrive, though
// they were in the same batch.
func TestDeliveryOfARefusedEvent(t *testing.T) {
	l, c := newLedger(t, filepath.Join(t.TempDir(), "store.db"), "ann"), newCollector(t)
	l.pay(5, "ann")
	c.set(func(_ *http.Request, events []event) int {
		if slices.ContainsFunc(events, func(e event) bool { return e.ID == "3" }) {
			return http.StatusBadRequest
		}
		return http.StatusOK
	})
	r := c.run(l.Store)
	require.Equal(t, []string{"1", "2"}, c.first("ann"))
	require.Regexp(t, `queue=ann event=3 failures=1 retry_in_ms=\d{5} error="it answered with HTTP status 400"`, r.log.String())
	c.set(nil)
	r.again(time.Minute)
	require.Equal(t, l.made["ann"], c.first("ann"))
}

// A client whose request hangs does not keep the others waiting.
func TestDeliverySlow(t *testing.T) {
	l, c := newLedger(t, filepath.Join(t.TempDir(), "store.db"), "ann", "bob"), newCollector(t)
	l.pay(1, "ann", "bob")
	bobs := make(chan struct{})
	c.before = func(events []event) {
		if events[0].Subject == "bob" {
			close(bobs)
			return
		}
		<-bobs // which comes while ann's is under way
	}
	c.run(l.Store)
	require.Equal(t, 2, c.count())

	// It is given up after a while, and retried.
	l.pay(1, "ann")
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	c.mu.Lock()
	c.before = func([]event) { <-hang }
	c.mu.Unlock()
	r := c.runTo(open(t, l.Path()), delivery.NewEndpoint("http://"+c.address, nil).WithTimeout(time.Millisecond))
	require.NotContains(t, r.log.String(), "failures", "the other one has the lease")
	r.again(time.Minute)
	require.Contains(t, r.log.String(), "it did not answer within 1ms\"")
}

// A collector that takes too long for many events gets fewer at once, until it has all.
func TestDeliveryOfFewerAtOnce(t *testing.T) {
	l, c := newLedger(t, filepath.Join(t.TempDir(), "store.db"), "ann"), newCollector(t)
	l.pay(200, "ann")
	c.set(func(_ *http.Request, events []event) int {
		if len(events) > 40 {
			return http.StatusGatewayTimeout
		}
		return http.StatusOK
	})
	r := c.run(l.Store)
	for range 2 {
		r.again(time.Minute)
	}
	require.Equal(t, l.made["ann"], c.first("ann"))
	require.Equal(t, 200, c.count())
}

// A collector that takes no batches gets each event by itself.
func TestDeliveryOfSingleEvents(t *testing.T) {
	l, c := newLedger(t, filepath.Join(t.TempDir(), "store.db"), "ann"), newCollector(t)
	l.pay(5, "ann")
	batches := 0
	c.set(func(r *http.Request, events []event) int {
		if r.Header.Get("Content-Type") == "application/cloudevents-batch+json" {
			batches++
			return http.StatusUnsupportedMediaType
		}
		if events[0].ID == "3" {
			return http.StatusBadGateway
		}
		return http.StatusOK
	})
	r := c.run(l.Store)
	require.Equal(t, []string{"1", "2"}, c.first("ann"))
	acknowledged, err := l.LiveUsage().Acknowledged(t.Context(), store.ConsumerCollector, l.ids["ann"])
	require.NoError(t, err)
	require.EqualValues(t, 2, acknowledged)
	c.set(nil)
	r.again(time.Minute)
	require.Equal(t, l.made["ann"], c.first("ann"))
	require.Equal(t, 5, c.count())
	require.Equal(t, 1, batches)
}

// A redirect would give the events and the secret to another server.
func TestDeliveryFollowsNoRedirect(t *testing.T) {
	l, c := newLedger(t, filepath.Join(t.TempDir(), "store.db"), "ann"), newCollector(t)
	l.pay(1, "ann")
	redirect := httptest.NewServer(http.RedirectHandler("http://"+c.address, http.StatusTemporaryRedirect))
	defer redirect.Close()
	r := c.runTo(l.Store, delivery.NewEndpoint(redirect.URL, nil))
	require.Zero(t, c.count())
	require.Contains(t, r.log.String(), "HTTP status 307")

	unknown := httptest.NewTLSServer(c)
	defer unknown.Close()
	r.end()
	r = c.runTo(l.Store, delivery.NewEndpoint(unknown.URL, nil))
	require.Zero(t, c.count())
	require.Contains(t, r.log.String(), "certificate")
}

// One of several replicas delivers, and another one continues when it ends or hangs.
func TestDeliveryByReplicas(t *testing.T) {
	onEach(t, func(t *testing.T, location string) {
		l, c := newLedger(t, location, "ann", "bob"), newCollector(t)
		l.pay(2, "ann")
		first := c.run(l.Store)
		second := c.run(open(t, location))
		for range 5 {
			l.pay(3, "ann", "bob")
			second.again(time.Second)
			require.NotEqual(t, l.made["ann"], c.first("ann"))
			first.again(time.Second)
			require.Equal(t, l.made["ann"], c.first("ann"))
		}
		require.Equal(t, 32, c.count(), "each is sent once")

		l.pay(1, "bob")
		first.end()
		second.again(time.Second)
		require.Equal(t, l.made["bob"], c.first("bob"), "the lease was given up")

		// One that hangs wakes up when another has taken over: events come twice, and in order.
		third := c.run(open(t, location))
		l.pay(2, "ann", "bob")
		third.again(time.Minute)
		require.Equal(t, l.made["bob"], c.first("bob"))
		l.pay(2, "ann", "bob")
		second.again(time.Second)
		third.again(time.Second)
		require.Equal(t, l.made["ann"], c.first("ann"))
		require.Equal(t, l.made["bob"], c.first("bob"))
	})
}

func TestWaits(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 8: 128 * time.Second, 9: 256 * time.Second, 10: 5 * time.Minute, 1 << 30: 5 * time.Minute} {
		for range 100 {
			got := delivery.Wait(failures, errors.New("down"))
			require.GreaterOrEqual(t, got, want/2)
			require.Less(t, got, want)
		}
	}
	require.GreaterOrEqual(t, delivery.Wait(100, &delivery.StatusError{Code: 400}), 30*time.Minute)
	require.Less(t, delivery.Wait(100, &delivery.StatusError{Code: 429}), 5*time.Minute)
	require.Equal(t, 10*time.Minute, delivery.Wait(1, &delivery.StatusError{Code: 503, After: 10 * time.Minute}))
	require.Equal(t, time.Hour, delivery.Wait(1, &delivery.StatusError{Code: 503, After: 10 * time.Hour}))
}
