package cmd

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

// roundTrips counts the requests that follow one another. A test says how many come at the
// same time in each round trip. Each is held back until all of its round trip have come,
// which never happens where one of them waits for another's answer. So the count is exact,
// and does not depend on how fast anything is.
type roundTrips struct {
	mu sync.Mutex
	// together is how many come at the same time, for each round trip that is left.
	together []int
	// here are those of the round trip under way, and all the ones before it.
	here []string
	all  [][]string
	// done is closed when the round trip is complete.
	done  chan struct{}
	wrong []string
}

func newRoundTrips(together ...int) *roundTrips {
	return &roundTrips{together: together, done: make(chan struct{})}
}

// lonely is how long a request waits for the others of its round trip, in a test that has
// failed by then.
const lonely = 10 * time.Second

// arrive returns when the request's round trip is complete.
func (r *roundTrips) arrive(what string) {
	r.mu.Lock()
	r.here = append(r.here, what)
	if len(r.together) == 0 {
		r.wrong = append(r.wrong, "one more: "+what)
		r.all, r.here = append(r.all, r.here), nil
		r.mu.Unlock()
		return
	}
	done := r.done
	if len(r.here) == r.together[0] {
		r.next()
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	select {
	case <-done:
	case <-time.After(lonely):
		r.mu.Lock()
		defer r.mu.Unlock()
		if done == r.done {
			r.wrong = append(r.wrong, fmt.Sprintf("%d at the same time, not %d", len(r.here), r.together[0]))
			r.next()
		}
	}
}

// next ends the round trip under way. The caller holds the lock.
func (r *roundTrips) next() {
	close(r.done)
	r.done, r.together = make(chan struct{}), r.together[1:]
	r.all, r.here = append(r.all, r.here), nil
}

// check fails unless all came as they should.
func (r *roundTrips) check(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for range r.together {
		r.wrong = append(r.wrong, "one less")
	}
	var list strings.Builder
	for i, requests := range r.all {
		fmt.Fprintf(&list, "\n%2d  %s", i+1, strings.Join(requests, "  |  "))
	}
	require.Empty(t, r.wrong, "%d round trips:%s", len(r.all), list.String())
}

// node serves the network's node. Polls for a receipt count for nothing: how many there are
// is the chain's affair.
func (r *roundTrips) node(t *testing.T, to string) string {
	forward := reverseProxy(t, to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		if asked := methods(body); asked != "eth_getTransactionReceipt" {
			r.arrive(asked)
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		forward.ServeHTTP(w, req)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// methods are what a message to a node asks for, each once.
func methods(body []byte) string {
	if !bytes.HasPrefix(body, []byte("[")) {
		body = slices.Concat([]byte("["), body, []byte("]"))
	}
	var requests []rpcRequest
	if json.Unmarshal(body, &requests) != nil {
		return "?"
	}
	var names []string
	for _, request := range requests {
		if !slices.Contains(names, request.Method) {
			names = append(names, request.Method)
		}
	}
	return strings.Join(names, ", ")
}

func reverseProxy(t *testing.T, to string) *httputil.ReverseProxy {
	target, err := url.Parse(to)
	require.NoError(t, err)
	return httputil.NewSingleHostReverseProxy(target)
}

// counted is a recipient behind a proxy that counts from a call on.
type counted struct {
	devnet.Recipient
	proxy *httptest.Server
	// behind is the way to the recipient itself, whose certificate proves nothing.
	behind *http.Transport

	mu    sync.Mutex
	trips *roundTrips
}

// State implements devnet.Recipient.
func (c *counted) State() chain.DevnetRecipient {
	state := c.Recipient.State()
	state.URL = c.proxy.URL
	return state
}

// Close implements devnet.Recipient.
func (c *counted) Close() error {
	c.proxy.Close()
	c.behind.CloseIdleConnections()
	return c.Recipient.Close()
}

func (c *counted) count(trips *roundTrips) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trips = trips
}

func (c *counted) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	c.mu.Lock()
	trips := c.trips
	c.mu.Unlock()
	if trips != nil {
		trips.arrive(req.URL.Path)
	}
	forward := &httputil.ReverseProxy{
		Transport:     c.behind,
		FlushInterval: -1,
		Rewrite:       func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "https", c.address() },
		// Its answers name the proxy, so that what follows comes through it too. Both have a
		// port of five digits: no length in the message changes.
		ModifyResponse: func(res *http.Response) error {
			body, err := io.ReadAll(res.Body)
			res.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(c.address()), []byte(c.proxy.Listener.Addr().String()))))
			return err
		},
	}
	forward.ServeHTTP(w, req)
}

// address is where the recipient itself listens.
func (c *counted) address() string {
	return strings.TrimPrefix(c.Recipient.State().URL, "https://")
}

// startCounted starts the devnet's own recipient behind a proxy.
func startCounted(ctx context.Context, env devnet.RecipientEnv) (devnet.Recipient, error) {
	own, err := devnet.OwnRecipient(devnet.RecipientConfig{Economy: recipient.DefaultEconomy()})(ctx, env)
	if err != nil {
		return nil, err
	}
	c := &counted{Recipient: own, behind: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	c.proxy = httptest.NewUnstartedServer(c)
	c.proxy.EnableHTTP2 = true
	c.proxy.StartTLS()
	return c, nil
}

// TestRoundTrips counts how often each command waits for an answer, with a new store and an
// empty cache: on a network whose contracts it looks up, and on one whose contracts are
// known, such as those that have names.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	// In rounds of two blocks, the chain's clock is not far ahead in the fourth.
	s := newShell(t, devnet.Config{Recipients: 1, StartRecipient: startCounted, RoundLength: 2})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	require.NoError(t, s.net.NextRound(t.Context(), 2))
	at, ok := s.net.Recipients()[0].(*counted)
	require.True(t, ok)
	url := at.State().URL
	for _, c := range []struct {
		line string
		// most is how many round trips there may be.
		most            int
		lookedUp, known []int
	}{
		{"status", 3, []int{1, 1}, []int{1}},
		{"params fetch " + url, 3, []int{2, 1}, []int{1, 1}},
		{"pay --value 1gwei " + url, 3, []int{2, 1, 1}, []int{1, 1, 1}},
		{"fund --deposit 1gwei --dry-run", 3, []int{1, 2}, []int{2}},
		{"fund --deposit 1gwei --yes", 5, []int{1, 2, 1, 1, 1}, []int{2, 1, 1, 1}},
		{"doctor", 5, []int{1, 1}, []int{1, 1}},
		{"doctor " + url, 5, []int{1, 1, 1, 2, 2}, []int{1, 1, 1, 2, 2}},
	} {
		require.LessOrEqual(t, len(c.lookedUp), c.most)
		s.counts(newRoundTrips(c.lookedUp...), at, s.unnamed(c.line), time.Now)
		s.counts(newRoundTrips(c.known...), at, c.line+" --network devnet", time.Now)
	}
}

// TestRoundTripsIntoThePast counts them for the commands that look back, on a chain that is
// long, with a time that begins somewhere in it.
func TestRoundTripsIntoThePast(t *testing.T) {
	notInShort(t)
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	require.NoError(t, s.net.Mine(t.Context(), 1500))
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	require.NoError(t, s.net.Mine(t.Context(), 1000))
	state := s.net.State()
	client, err := chain.Dial(t.Context(), s.net.RPCURL(), state.Network())
	require.NoError(t, err)
	defer client.Close()
	head, err := client.Head(t.Context())
	require.NoError(t, err)
	since := " --since " + head.Time.Add(-1500*time.Second).Format(time.RFC3339)
	const most = 8
	for _, c := range []struct {
		line            string
		lookedUp, known []int
	}{
		{"history", []int{1, 1, 1, 1, 1}, []int{1, 1, 1, 1}},
		{"history" + since, []int{1, 1, 1, 1, 1, 1, 1, 1}, []int{1, 1, 1, 1, 1, 1, 1}},
		{"runway", []int{1, 1, 1, 1, 1, 1, 1, 1}, []int{1, 1, 1, 1, 1, 1, 1}},
		{"runway" + since, []int{1, 1, 1, 1, 1, 1, 1, 1}, []int{1, 1, 1, 1, 1, 1, 1}},
	} {
		require.LessOrEqual(t, len(c.lookedUp), most)
		now := func() time.Time { return head.Time }
		s.counts(newRoundTrips(c.lookedUp...), nil, s.unnamed(c.line), now)
		s.counts(newRoundTrips(c.known...), nil, c.line+" --network devnet", now)
	}
}

// unnamed names the network by what it takes when it has no name.
func (s *shell) unnamed(line string) string {
	return line + " --controller " + s.net.Controller().Hex() + " --chain-id " + s.net.ChainID().String()
}

// counts runs a command line that must succeed in just these round trips, to the node and to
// the recipient, if there is one.
func (s *shell) counts(trips *roundTrips, at *counted, line string, now func() time.Time) {
	s.t.Run(line, func(t *testing.T) {
		node := trips.node(t, s.net.RPCURL())
		if at != nil {
			at.count(trips)
			defer at.count(nil)
		}
		home := t.TempDir()
		env := func(key string) string {
			switch key {
			case "PMCTL_STORE":
				return filepath.Join(home, "store.db")
			case "XDG_CACHE_HOME":
				return home
			case "PMCTL_NETWORK":
				return ""
			}
			return s.env[key]
		}
		var out, errs bytes.Buffer
		code := Main(t.Context(), strings.Fields(line+" --rpc-url "+node), &Env{In: strings.NewReader(""), Out: &out, Err: &errs, Now: now, Getenv: env})
		require.Equal(t, exitDone, code, "%s\n%s", out.String(), errs.String())
		trips.check(t)
	})
}
