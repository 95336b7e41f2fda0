//go:build linux || darwin

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/clock/clocktest"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

var ticketBroker = common.Address{0xb0}

// chainAt is a chain with the facts that a test sets.
type chainAt struct {
	mu    sync.Mutex
	facts pm.Facts
	err   error
	asked int
	about []pm.Counterparty // in the last look

	// inactive has no recipient be active.
	inactive bool
}

func (c *chainAt) Facts(_ context.Context, _ common.Address, about ...pm.Counterparty) (pm.Facts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	c.about = about
	facts := c.facts
	facts.Counterparties = make(map[pm.Counterparty]pm.CounterpartyFacts)
	for _, counterparty := range about {
		facts.Counterparties[counterparty] = pm.CounterpartyFacts{Active: !c.inactive, RoundHash: common.Hash{byte(counterparty.Round)}}
	}
	return facts, c.err
}

func (c *chainAt) fails(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

func (c *chainAt) times() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func goodFacts() pm.Facts {
	return pm.Facts{
		LastSeenL1Block: big.NewInt(100), LastInitializedRound: big.NewInt(5), LastInitializedL1BlockHash: common.Hash{5},
		Sender: &pm.SenderInfo{
			Deposit: big.NewInt(1e18), WithdrawRound: new(big.Int),
			Reserve: &pm.ReserveInfo{FundsRemaining: big.NewInt(1e18), ClaimedInCurrentRound: new(big.Int)},
		},
	}
}

// params are ticket params without fault, of the session n.
func params(t testing.TB, n byte) *pm.TicketParams {
	t.Helper()
	info := &wire.OrchestratorInfo{
		TicketParams: &wire.TicketParams{
			Recipient: common.Address{0xaa}.Bytes(), FaceValue: big.NewInt(4000e9).Bytes(),
			WinProb:           new(big.Int).Lsh(big.NewInt(1), 230).Bytes(),
			RecipientRandHash: common.Hash{n}.Bytes(), Seed: []byte{7}, ExpirationBlock: []byte{140},
		},
		PriceInfo: &wire.PriceInfo{PricePerUnit: 1200, PixelsPerUnit: 1},
	}
	p, err := info.Params()
	require.NoError(t, err)
	return p
}

// testClock is a clock that stands still until it is set forward; what waits for it goes
// on.
type testClock struct {
	mu    sync.Mutex
	now   time.Time
	waits []wait
	// soon, unless it is nil, is sent on when something begins to wait for a second or less.
	soon chan struct{}
}

type wait struct {
	at time.Time
	ch chan time.Time
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// set sets the time of day, by a number of seconds.
func (c *testClock) set(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = clocktest.Asleep(c.now, by)
}

func (c *testClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan time.Time, 1)
	c.waits = append(c.waits, wait{c.now.Add(d), ch})
	if c.soon != nil && d <= time.Second {
		c.soon <- struct{}{}
	}
	return ch
}

func (c *testClock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	left := c.waits[:0]
	for _, w := range c.waits {
		if w.at.After(c.now) {
			left = append(left, w)
			continue
		}
		w.ch <- c.now
	}
	c.waits = left
}

// world is a service at a real socket, over a real store.
type world struct {
	chain   *chainAt
	clock   *testClock
	store   *store.Store
	service *Service
	client  *Client
	path    string
}

func key(t testing.TB) signer.Local {
	t.Helper()
	opened, err := signer.RawKey([]byte(strings.Repeat("01", 32)))
	require.NoError(t, err)
	return opened
}

func config(t testing.TB, storePath string, c *chainAt) Config {
	t.Helper()
	s, err := store.Open(context.Background(), storePath)
	require.NoError(t, err)
	return Config{
		Signer: key(t), Network: chain.Network{Name: "test", ChainID: 1337}, Chain: c, Store: s, Limits: policy.Default(),
		Broker: func(context.Context) (common.Address, error) { return ticketBroker, nil },
		Idle:   time.Hour, Lifetime: 12 * time.Hour,
	}
}

func describe(err error) format.Error {
	code := "failed"
	if errors.Is(err, policy.ErrLimit) {
		code = "limit"
	}
	said, _ := hint.Of(err)
	return format.Error{Code: code, ExitCode: 1, Message: err.Error(), Hint: said}
}

// begin has a service answer at a socket until the test ends.
func begin(t testing.TB, change func(*Config)) *world {
	t.Helper()
	w := &world{chain: &chainAt{facts: goodFacts()}, clock: &testClock{now: time.Now()}}
	dir, err := os.MkdirTemp("", "agent") // a test's own folder can be too long for a socket
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o700))
	w.path = filepath.Join(dir, "s")
	c := config(t, filepath.Join(dir, "store.db"), w.chain)
	c.Now, c.After = w.clock.Now, w.clock.After
	if change != nil {
		change(&c)
	}
	w.store, w.service = c.Store, New(c)
	socket, err := Listen(w.path)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		w.service.Run(ctx)
	}()
	go func() {
		defer socket.Close()
		served <- socket.Serve(ctx, Handler(w.service, describe, stop))
	}()
	w.client = NewClient(w.path)
	t.Cleanup(func() {
		w.client.Close()
		stop()
		require.NoError(t, <-served)
		<-ran
		w.store.Close()
		os.RemoveAll(dir)
	})
	return w
}

// signer is the other end, as a command has it.
func (w *world) signer(t testing.TB) *Signer {
	t.Helper()
	status, err := w.client.Status(context.Background())
	require.NoError(t, err)
	return NewSigner(w.client, status)
}

// nonces are a store's, of which the agent takes those for tickets.
type nonces struct {
	*store.Chain
	signer *Signer
	id     string
}

func (n nonces) ReserveAll(ctx context.Context, spends []store.Spend) ([]store.Outcome, error) {
	return n.signer.ReserveAll(ctx, n.id, spends)
}

func (w *world) payer(s *Signer) *pay.Payer {
	return &pay.Payer{
		Sender: s.Address(), Limits: policy.Default(), Chain: s, Now: w.clock.Now,
		Nonces: nonces{w.store.Chain(1337), s, w.store.ID()},
	}
}

// batch makes tickets through the agent, as a command does.
func (w *world) batch(t testing.TB, s *Signer, session byte, count uint64) (*pm.TicketBatch, error) {
	t.Helper()
	payer := w.payer(s)
	plan, err := payer.Plan(context.Background(), params(t, session), pay.Amount{Count: count})
	if err != nil {
		return nil, err
	}
	tickets, err := payer.Reserve(context.Background(), plan)
	if err != nil {
		return nil, err
	}
	return tickets.Batch(context.Background(), s)
}

func (w *world) used(t testing.TB, session byte) uint32 {
	t.Helper()
	used, err := w.store.Chain(1337).UsedNonces(context.Background(), common.Hash{session})
	require.NoError(t, err)
	return used
}

// post sends a body as it is.
func (w *world) post(t testing.TB, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, "http://agent"+path, strings.NewReader(body))
	require.NoError(t, err)
	res, err := w.client.http.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	var document struct {
		Kind  string       `json:"kind"`
		Error format.Error `json:"error"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&document))
	if res.StatusCode != http.StatusOK {
		require.Equal(t, "pmctl.error", document.Kind)
		require.NotEmpty(t, document.Error.Message)
	}
	return res.StatusCode, fmt.Sprint(document.Error.Code, " ", document.Error.Message)
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}

// requireDocument checks that an answer is one: of an error unless the status is 200.
func requireDocument(t *testing.T, answer *httptest.ResponseRecorder) {
	t.Helper()
	var document struct {
		Kind    string          `json:"kind"`
		Version int             `json:"version"`
		Data    json.RawMessage `json:"data"`
		Error   *format.Error   `json:"error"`
	}
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &document))
	require.Equal(t, format.Version, document.Version)
	require.Equal(t, answer.Code == http.StatusOK, document.Error == nil)
	require.Equal(t, answer.Code == http.StatusOK, document.Data != nil)
}
