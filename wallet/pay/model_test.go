package pay

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// server is started by the first test that needs it.
var server pgtest.Server

func TestMain(m *testing.M) {
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// atOnce is how many processes work on one request at most.
const atOnce = 4

// TestSoakOneRequestManyProcesses interleaves up to four processes that pay with one
// request id, at every access to the store and every step of a delivery, over real stores
// and connections. Deliveries are accepted, refused, cut off before or behind the
// recipient's word, or find no listener; processes are killed; params expire. At most one set of
// tickets reaches the recipient, and no process reports what is not so.
func TestSoakOneRequestManyProcesses(t *testing.T) {
	checks, ok := map[string]string{"": "50", "sample": "500", "whole": "5000"}[os.Getenv("PMCTL_SOAK")]
	require.True(t, ok, "PMCTL_SOAK is sample or whole")
	require.NoError(t, flag.Set("rapid.checks", checks))
	for name, place := range map[string]func() string{
		"SQLite":     func() string { return filepath.Join(t.TempDir(), "store.db") },
		"PostgreSQL": func() string { return server.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newModel(t, place())
			rapid.Check(t, m.interleave)
		})
	}
}

// model is a recipient and what the processes that pay it have reported.
type model struct {
	t        *testing.T
	grpc     *grpc.Server
	url      URL
	listener *moody
	stores   [atOnce + 1]*store.Store

	block    int64
	sessions int64
	requests int

	// running is the process that was let go on last. It sends to stopped when it waits for
	// the next word, or has ended: nothing else runs then.
	running *process
	stopped chan struct{}

	// nonceCap and maxHeader decide in how many parts the payment is delivered.
	nonceCap  uint32
	maxHeader int

	// arrived are the tickets that came, taken those that were accepted.
	arrived, taken map[ticketID]bool

	// refused reports whether the recipient has refused tickets that it did not have, expired whether
	// params have.
	refused, expired bool
}

// ticketID is a ticket as the recipient tells them apart.
type ticketID struct {
	session common.Hash
	nonce   uint32
}

// due is how many tickets each payment has.
const due = 3

// process pays with the request.
type process struct {
	m    *model
	next chan string // what is to happen where it waits
	at   string      // where that is; "" when it has ended

	killed  bool
	payment *Payment
	err     error
	taken   int // tickets that the recipient had accepted when it ended
}

var errKilled = errors.New("the process was killed")

func newModel(t *testing.T, location string) *model {
	m := &model{t: t, grpc: grpc.NewServer(), stopped: make(chan struct{}), block: 100}
	t.Cleanup(m.grpc.Stop)
	wire.RegisterOrchestratorServer(m.grpc, orchestrator(func(context.Context, *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
		return m.info(), nil
	}))
	m.url, m.listener = serveMoody(t, true, m)
	for i := range m.stores {
		s, err := store.Open(t.Context(), location)
		require.NoError(t, err)
		t.Cleanup(func() { s.Close() })
		m.stores[i] = s
	}
	return m
}

// info is params of a session of their own.
func (m *model) info() *wire.OrchestratorInfo {
	m.sessions++
	info := goodInfo()
	info.TicketParams.RecipientRandHash = common.BigToHash(big.NewInt(m.sessions)).Bytes()
	info.TicketParams.ExpirationBlock = big.NewInt(m.block + 40).Bytes()
	return info
}

// Facts implements Chain.
func (m *model) Facts(context.Context, common.Address, ...pm.Counterparty) (pm.Facts, error) {
	facts := goodFacts()
	facts.LastSeenL1Block = big.NewInt(m.block)
	return facts, nil
}

// ServeHTTP takes payments, each ticket once.
func (m *model) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		m.grpc.ServeHTTP(w, r)
		return
	}
	p := m.running
	payment, err := wire.DecodePaymentHeader(r.Header.Get("Livepeer-Payment"))
	if err != nil {
		m.t.Error(err)
	}
	session := common.BytesToHash(payment.GetTicketParams().GetRecipientRandHash())
	var tickets []ticketID
	for _, sp := range payment.GetTicketSenderParams() {
		tickets = append(tickets, ticketID{session, sp.GetSenderNonce()})
	}
	what, err := p.wait("arrived")
	if err == nil && what == "too large" {
		http.Error(w, "header fields too large", http.StatusRequestHeaderFieldsTooLarge)
		return
	}
	seen := false
	for _, ticket := range tickets {
		seen = seen || m.taken[ticket]
		m.arrived[ticket] = true
	}
	switch {
	case err != nil || what == "cut off":
		panic(http.ErrAbortHandler)
	case seen:
		http.Error(w, pm.ErrNonceReplayed.Error(), http.StatusBadRequest)
		return
	case what == "refuse":
		m.refused = true
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	for _, ticket := range tickets {
		m.taken[ticket] = true
	}
	if what, err := p.wait("taken"); err != nil || what == "cut off" {
		panic(http.ErrAbortHandler)
	}
	body, err := proto.Marshal(&wire.PaymentResult{Info: m.info()})
	if err != nil {
		m.t.Error(err)
	}
	_, _ = w.Write(body)
}

// wait stops until the process may go on, and returns what is to happen.
func (p *process) wait(at string) (string, error) {
	if p.killed {
		return "", errKilled
	}
	p.at = at
	p.m.stopped <- struct{}{}
	what := <-p.next
	if p.killed = what == "kill"; p.killed {
		return "", errKilled
	}
	return what, nil
}

// step lets a process go on until it waits again or has ended.
func (m *model) step(p *process, what string) {
	m.running = p
	m.listener.out.Store(what == "no listener")
	p.next <- what
	<-m.stopped
	m.listener.out.Store(false)
}

// waiting is a process's store, at each access to which it waits.
type waiting struct {
	*store.Chain
	p *process
}

func (w waiting) Requested(ctx context.Context, sender common.Address, request store.Request) (store.Records, error) {
	if _, err := w.p.wait("look"); err != nil {
		return nil, err
	}
	return w.Chain.Requested(ctx, sender, request)
}

func (w waiting) ReserveAll(ctx context.Context, spends []store.Spend) ([]store.Outcome, error) {
	if _, err := w.p.wait("reserve"); err != nil {
		return nil, err
	}
	return w.Chain.ReserveAll(ctx, spends)
}

func (w waiting) BeginDelivery(ctx context.Context, sender common.Address, r *store.Record) error {
	if _, err := w.p.wait("begin"); err != nil {
		return err
	}
	return w.Chain.BeginDelivery(ctx, sender, r)
}

func (w waiting) EndDelivery(ctx context.Context, sender common.Address, r *store.Record, end store.State, outcome string) (*store.Record, error) {
	if _, err := w.p.wait("end"); err != nil {
		return nil, err
	}
	return w.Chain.EndDelivery(ctx, sender, r, end, outcome)
}

func (w waiting) SplitDelivery(ctx context.Context, sender common.Address, r *store.Record, most uint32) error {
	if _, err := w.p.wait("split"); err != nil {
		return err
	}
	return w.Chain.SplitDelivery(ctx, sender, r, most)
}

func (w waiting) ReleaseRequest(ctx context.Context, sender common.Address, read store.Records) error {
	if _, err := w.p.wait("release"); err != nil {
		return err
	}
	return w.Chain.ReleaseRequest(ctx, sender, read)
}

// start begins a process on the store with this number.
func (m *model) start(number int) *process {
	p := &process{m: m, next: make(chan string), at: "start"}
	w := waiting{m.stores[number].Chain(1337), p}
	key, limits := me(m.t), policy.Default()
	limits.NonceCap = m.nonceCap
	session := &Session{
		Payer:  &Payer{Sender: key.Address(), Limits: limits, Chain: m, Nonces: w},
		Client: &Client{Timeout: testTimeout, Headers: &HeaderLimits{Asked: m.maxHeader}}, Kept: inMemory{}, URL: m.url,
		Pins:    Pins{Known: knownInMemory{}, Sender: key.Address()},
		Request: &store.Request{ID: fmt.Sprint(m.requests), Digest: "digest"}, Requests: w,
		Unlock: func(context.Context) (signer.Source, error) {
			_, err := p.wait("passphrase")
			return key, err
		},
	}
	go func() {
		<-p.next
		p.payment, p.err = session.Pay(context.Background(), Amount{Count: due})
		p.at, p.taken = "", len(m.taken)
		m.stopped <- struct{}{}
	}()
	m.step(p, "start")
	return p
}

// happens are what can happen where a process waits, beside that it goes on.
var happens = map[string][]string{
	"arrived": {"accept", "accept", "accept", "accept", "refuse", "too large", "cut off", "kill"},
	"taken":   {"answer", "answer", "answer", "cut off", "kill"},
	"begin":   {"go on", "go on", "no listener", "kill"},
	"end":     {"go on", "go on", "go on", "kill"},
	"reserve": {"go on", "go on", "go on", "kill"},
	"split":   {"go on", "go on", "go on", "kill"},
	"release": {"go on", "go on", "go on", "kill"},
}

// interleave is one interleaving.
func (m *model) interleave(t *rapid.T) {
	m.requests++
	m.refused, m.expired = false, false
	m.arrived, m.taken = make(map[ticketID]bool), make(map[ticketID]bool)
	m.nonceCap = rapid.SampledFrom([]uint32{600, 600, 2, 1}).Draw(t, "nonce cap")
	m.maxHeader = rapid.SampledFrom([]int{DefaultMaxHeader, 1, headerOf(m.t, 2), 2*headerOf(m.t, 1) + 3}).Draw(t, "largest header")
	var all []*process
	var alive [atOnce]*process
	step := func(i int) {
		what := "go on"
		if may := happens[alive[i].at]; may != nil {
			what = rapid.SampledFrom(may).Draw(t, alive[i].at)
		}
		if m.step(alive[i], what); alive[i].at == "" {
			alive[i] = nil
		}
	}
	for range rapid.IntRange(10, 80).Draw(t, "steps") {
		i := rapid.IntRange(0, atOnce).Draw(t, "process")
		switch {
		case i == atOnce:
			blocks := rapid.SampledFrom([]int64{0, 0, 0, 0, 40}).Draw(t, "blocks")
			m.block, m.expired = m.block+blocks, m.expired || blocks > 0
		case alive[i] == nil:
			if p := m.start(i); p.at != "" {
				all, alive[i] = append(all, p), p
			}
		default:
			step(i)
		}
	}
	for i := range alive {
		for alive[i] != nil {
			step(i)
		}
	}
	last := m.start(atOnce)
	for last.at != "" {
		m.step(last, "go on")
	}
	m.check(t, append(all, last))
}

// check holds what was reported against what the recipient has seen.
func (m *model) check(t *rapid.T, all []*process) {
	require.LessOrEqual(t, len(m.arrived), due, "more tickets than are due have left")
	if !m.refused && !m.expired {
		require.Len(t, m.taken, due, "the last process to pay has paid exactly the rest")
	}
	noted := false // that it was accepted
	for i, p := range all {
		var unknown *UnknownOutcomeError
		var refused *RefusedError
		if partial, ok := errors.AsType[*PartialError](p.err); ok {
			require.LessOrEqual(t, partial.Paid.Tickets, uint64(p.taken), "process %d reports more as accepted than was: %v", i, p.err)
		}
		switch {
		case p.killed:
		case p.err == nil:
			require.Equal(t, due, p.taken, "process %d reports a payment that was not accepted", i)
			require.EqualValues(t, due, p.payment.Total().Tickets)
			noted = noted || p.payment.NextErr == nil
		case errors.As(p.err, new(*RefusedBeforeError)), errors.As(p.err, &refused) && !errors.As(p.err, &unknown):
			require.Less(t, len(m.taken), due, "process %d reports as refused what was accepted: %v", i, p.err)
		}
	}
	if last := all[len(all)-1]; noted {
		require.NoError(t, last.err, "it was accepted, and that was written down")
	}
}

// headerOf is how large the header of a delivery of so many of the model's tickets is at
// least.
func headerOf(t *testing.T, tickets uint32) int {
	params, err := goodInfo().Params()
	require.NoError(t, err)
	u := parse(t, "https://127.0.0.1:12345")
	segment, err := SegmentHeader(t.Context(), me(t), goodInfo().AuthToken, time.Now())
	require.NoError(t, err)
	facts := goodFacts()
	all := &Tickets{Plan: &Plan{Params: params, Expiration: facts.Expiration(params)}, Sender: me(t).Address()}
	for limit := 1; ; limit++ {
		most, err := (&HeaderLimits{Asked: limit}).fit(u, all.batch(), due, segment)
		require.NoError(t, err)
		if most >= tickets {
			return limit
		}
	}
}
