package store

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/internal/tx"
)

// roundTrips is a proxy before a server, which counts how often a client waits for an answer.
type roundTrips struct{ count atomic.Int64 }

// before returns the location of a database through the proxy.
func (r *roundTrips) before(t *testing.T, location string) string {
	u, err := url.Parse(location)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", u.Host)
			if err != nil {
				client.Close()
				return
			}
			var asked atomic.Bool
			serving.Go(func() { // until the client ends it
				defer server.Close()
				_, _ = io.Copy(writer(func(b []byte) (int, error) {
					if !asked.Swap(true) {
						r.count.Add(1)
					}
					return server.Write(b)
				}), client)
			})
			serving.Go(func() {
				defer client.Close()
				_, _ = io.Copy(writer(func(b []byte) (int, error) {
					asked.Store(false)
					return client.Write(b)
				}), server)
			})
		}
	})
	t.Cleanup(func() { require.NoError(t, l.Close()); serving.Wait() })
	through := *u
	through.Host = l.Addr().String()
	return through.String()
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// of returns how often do waits for the server.
func (r *roundTrips) of(do func()) int64 {
	before := r.count.Load()
	do()
	return r.count.Load() - before
}

// TestRoundTripsOfPayments: each waits for the server, and all that comes after them waits for
// them. There is one for each of lock and place, what payments start from, what they change, and
// commit, however many payments there are.
func TestRoundTripsOfPayments(t *testing.T) {
	const most = 4
	var proxy roundTrips
	s := open(t, proxy.before(t, server.Database(t)))
	client := addClient(t, s, "one", Terms{EVPerDay: worth(t, 1000)})
	for _, together := range []int{1, 1, 50} {
		var requests []LiveRequest
		for i := range together {
			r := liveRequest(byte(i+1), 1)
			r.Client = client
			requests = append(requests, r)
		}
		require.LessOrEqual(t, proxy.of(func() {
			outcomes, err := livePayments(s).PayAll(t.Context(), requests)
			require.NoError(t, err)
			for _, o := range outcomes {
				require.NoError(t, o.Err)
			}
		}), int64(most), "for %d payments", together)
	}
}

// TestRoundTripsOfTheJournal: it is read at once, however many transactions there are.
func TestRoundTripsOfTheJournal(t *testing.T) {
	var proxy roundTrips
	a := newAccountant(t, open(t, proxy.before(t, server.Database(t))))
	var taken []int64
	for i := range uint64(5) {
		taken = append(taken, proxy.of(func() { a.begun("", tx.Label(fmt.Sprint("fund", i)), 0, i) }))
	}
	require.Equal(t, taken[1], taken[4])
	require.LessOrEqual(t, proxy.of(func() {
		listed, err := a.Intents(t.Context(), payer)
		require.NoError(t, err)
		require.Len(t, listed, 5)
	}), int64(1))
}

// TestRoundTripsOfAPayment: a server may be far away, and pmctl pay makes most of these one by one.
func TestRoundTripsOfAPayment(t *testing.T) {
	var proxy roundTrips
	location := proxy.before(t, server.Database(t))
	first := open(t, location)
	reserve(t, first, params(1), 1)
	require.NoError(t, first.Close())

	const url = "https://recipient:8935"
	var s *Store
	sender, at := common.Address{1}, time.Now()
	for _, c := range []struct {
		what string
		most int64
		do   func(*Chain) error
	}{
		{"connect and open, after the end of another connection", 10, func(*Chain) error { s = open(t, location); return nil }},
		{"read the contracts", 1, func(c *Chain) error { _, _, err := c.Contracts(t.Context(), sender); return err }},
		{"read the session", 1, func(c *Chain) error { _, err := c.UsedNonces(t.Context(), params(1).RecipientRandHash); return err }},
		{"read the spending", 1, func(c *Chain) error { _, err := c.Spending(t.Context(), sender, at); return err }},
		{"read the credit", 1, func(c *Chain) error { _, err := c.Credit(t.Context(), sender, url); return err }},
		{"pin a recipient", 4, func(c *Chain) error {
			_, err := c.PinRecipients(t.Context(), sender, []Pin{{url, sender}}, nil)
			return err
		}},
		{"look at the pin", 1, func(c *Chain) error {
			_, err := c.PinRecipients(t.Context(), sender, []Pin{{url, sender}}, nil)
			return err
		}},
		{"take nonces", 4, func(*Chain) error { reserve(t, s, params(1), 1); return nil }},
		{"save params", 2, func(c *Chain) error { return c.SaveParams(t.Context(), sender, url, []byte("{}")) }},
	} {
		require.LessOrEqual(t, proxy.of(func() { require.NoError(t, c.do(s.Chain(testChain)), c.what) }), c.most, c.what)
	}
}
