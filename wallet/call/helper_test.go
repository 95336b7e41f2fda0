package call

import (
	"context"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/transport"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// capture is one exchange with the deployed orchestrator, or with its signer.
type capture struct {
	Name    string
	Request struct {
		Method, Path, URL string
		Headers           map[string]string
		Body              json.RawMessage
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

// captures are those of live runners, by name, and the key that paid.
func captures(t testing.TB) (map[string]capture, signer.Source) {
	t.Helper()
	data, err := os.ReadFile("../live/testdata/captures.json")
	require.NoError(t, err)
	var all struct {
		Signer struct {
			PrivateKey string `json:"private_key"`
		}
		Runner []capture `json:"live_runner_and_discovery"`
	}
	require.NoError(t, json.Unmarshal(data, &all))
	key, err := signer.RawKey([]byte(all.Signer.PrivateKey))
	require.NoError(t, err)
	t.Cleanup(key.Close)
	named := make(map[string]capture)
	for _, c := range all.Runner {
		named[c.Name] = c
	}
	return named, key
}

// Clock is a clock that a test sets.
type Clock struct {
	mu      sync.Mutex
	now     time.Time
	waiting chan chan time.Time
}

func NewClock(now time.Time) *Clock { return &Clock{now: now, waiting: make(chan chan time.Time, 16)} }

func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Past is a wait that has ended, in which its time has passed.
func (c *Clock) Past(d time.Duration) <-chan time.Time {
	ends := make(chan time.Time, 1)
	c.end(ends, d)
	return ends
}

func (c *Clock) After(time.Duration) <-chan time.Time {
	ends := make(chan time.Time, 1)
	c.waiting <- ends
	return ends
}

// Tick lets the next wait end, d later, unless ctx ends first.
func (c *Clock) Tick(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case ends := <-c.waiting:
		c.end(ends, d)
	}
}

// TickUntil lets every wait end, d later, until done is closed.
func (c *Clock) TickUntil(done <-chan struct{}, d time.Duration) {
	for {
		select {
		case <-done:
			return
		case ends := <-c.waiting:
			c.end(ends, d)
		}
	}
}

func (c *Clock) end(ends chan time.Time, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	ends <- c.now
}

// Paid returns once the payment that the last Tick had made is done, or ctx.
func (c *Clock) Paid(ctx context.Context) {
	select {
	case <-ctx.Done():
	case next := <-c.waiting:
		c.waiting <- next
	}
}

// sure is a chain on which every sender can pay every recipient until block 1000.
type sure struct {
	inactive bool
	hashes   map[int64][32]byte
}

func (s *sure) Facts(_ context.Context, _ common.Address, about ...pm.Counterparty) (pm.Facts, error) {
	facts := pm.Facts{
		LastSeenL1Block: new(big.Int), LastInitializedRound: big.NewInt(1),
		Sender: &pm.SenderInfo{
			Deposit: big.NewInt(1e18), WithdrawRound: new(big.Int),
			Reserve: &pm.ReserveInfo{FundsRemaining: big.NewInt(1e18), ClaimedInCurrentRound: new(big.Int)},
		},
		Counterparties: make(map[pm.Counterparty]pm.CounterpartyFacts),
	}
	for _, one := range about {
		facts.LastInitializedRound = big.NewInt(one.Round)
		facts.Counterparties[one] = pm.CounterpartyFacts{Active: !s.inactive, RoundHash: s.hashes[one.Round]}
	}
	return facts, nil
}

// newAccount is a purse over a real store.
func newAccount(t *testing.T, key signer.Source, now func() time.Time, request string) *Account {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	chain := s.Chain(1337)
	a := &Account{
		Payer:    &pay.Payer{Sender: key.Address(), Limits: policy.Default(), Chain: &sure{}, Nonces: chain, Now: now},
		Pins:     pay.Pins{Known: chain, Sender: key.Address()},
		Unlock:   func(context.Context) (signer.Source, error) { return key, nil },
		Requests: chain, Now: now,
	}
	if request != "" {
		a.Request = &store.Request{ID: request, Digest: "digest"}
	}
	return a
}

// servedAt is a client for which every host is the handler.
func servedAt(t *testing.T, handler http.Handler) *http.Client {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	return startedAt(t, server)
}

// startedAt starts a server, and returns a client for which every host is that.
func startedAt(t *testing.T, server *httptest.Server) *http.Client {
	t.Helper()
	server.StartTLS()
	t.Cleanup(server.Close)
	client := HTTPClient()
	client.Transport.(transport.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}
	t.Cleanup(client.CloseIdleConnections)
	return client
}
