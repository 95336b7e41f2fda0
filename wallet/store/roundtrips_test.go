package store

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
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

// TestRoundTripsOfPayments: each waits for the server, and all that comes after them waits for
// them. There is one for each of begin, lock, place, what payments start from, what they change,
// and commit, however many payments there are.
func TestRoundTripsOfPayments(t *testing.T) {
	const most = 6
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
		before := proxy.count.Load()
		outcomes, err := livePayments(s).PayAll(t.Context(), requests)
		require.NoError(t, err)
		for _, o := range outcomes {
			require.NoError(t, o.Err)
		}
		require.LessOrEqual(t, proxy.count.Load()-before, int64(most), "for %d payments", together)
	}
}
