package pay

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// largeWorld is a world whose sender may pay any amount, by parts where that is needed.
func largeWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.confirm(t)(w.broker.FundDepositAndReserve(big.NewInt(1e18), big.NewInt(1e18)))
	w.session.Payer.Limits.MaxTotalEV = nil
	w.session.Requests, w.session.Digest = w.session.Payer.Nonces.(*store.Chain), "digest"
	return w
}

// through has the next payment go to u, as the recipient's own answer would say.
func (w *world) through(t *testing.T, u URL) {
	t.Helper()
	request, err := wire.NewOrchestratorRequest(w.signer.Signer)
	require.NoError(t, err)
	offer, err := w.session.Client.Fetch(t.Context(), w.session.URL, request)
	require.NoError(t, err)
	info := proto.Clone(offer.Info).(*wire.OrchestratorInfo)
	info.Transcoder = u.String()
	offer, err = NewOffer(w.session.URL, w.signer.Address(), offer.FetchedAt, info)
	require.NoError(t, err)
	require.NoError(t, w.kept.Save(t.Context(), offer))
}

// proxy is a web server before the world's recipient that takes headers of so many bytes.
type proxy struct {
	mu    sync.Mutex
	sizes []int // of the payments that it passed on
}

func (w *world) proxy(t *testing.T, overTLS bool, takes int) (URL, *proxy) {
	t.Helper()
	behind, err := url.Parse(w.session.URL.String())
	require.NoError(t, err)
	p, forward := new(proxy), httputil.NewSingleHostReverseProxy(behind)
	forward.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		size := 0
		for name, values := range r.Header {
			size += len(name) + len(values[0]) + fieldOverhead
		}
		p.mu.Lock()
		p.sizes = append(p.sizes, size)
		p.mu.Unlock()
		forward.ServeHTTP(out, r)
	}))
	server.Config.MaxHeaderBytes = takes
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if overTLS {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return parse(t, server.URL), p
}

func TestALargePaymentIsDeliveredInParts(t *testing.T) {
	w := largeWorld(t)
	u, seen := w.proxy(t, true, 1<<20)
	w.through(t, u)
	paid, err := w.session.Pay(t.Context(), Amount{Count: 150})
	require.NoError(t, err)
	require.NoError(t, paid.NextErr)
	require.Len(t, paid.Parts, 3)
	require.Equal(t, 3, paid.Sent)
	require.EqualValues(t, 150, paid.Total().Tickets)
	require.EqualValues(t, 150, w.seen(t).Credited)
	require.Len(t, w.seen(t).Manifests, 1, "all of it is credit of one session")
	first := uint32(1)
	for _, part := range paid.Parts {
		require.Equal(t, first, part.Nonces.First, "from one set of params")
		first += part.Nonces.Count
	}
	require.Greater(t, paid.Parts[0].Nonces.Count, uint32(60))
	for _, size := range seen.sizes {
		require.LessOrEqual(t, size, DefaultMaxHeader)
	}
	require.Greater(t, seen.sizes[0], DefaultMaxHeader-restOfHeader-100, "a part is as large as may be")

	// What fits is one delivery, and no request.
	w.through(t, u)
	paid, err = w.session.Pay(t.Context(), Amount{Count: 60})
	require.NoError(t, err)
	require.Len(t, paid.Parts, 1)
}

// More tickets than one set of params allows continue with the params of the answer.
func TestMoreTicketsThanOneSetTakes(t *testing.T) {
	w := largeWorld(t)
	w.session.Client.Headers = &HeaderLimits{Asked: 1 << 20}
	w.session.Request = &store.Request{ID: "one", Digest: "digest"}
	paid, err := w.session.Pay(t.Context(), Amount{Count: 1300})
	require.NoError(t, err)
	require.Len(t, paid.Parts, 3)
	require.EqualValues(t, 1300, w.seen(t).Credited)
	require.Len(t, w.seen(t).Manifests, 1)
	sessions := make(map[any]bool)
	for i, count := range []uint32{600, 600, 100} {
		require.Equal(t, pm.NonceRange{First: 1, Count: count}, paid.Parts[i].Nonces)
		sessions[paid.Parts[i].Params.RecipientRandHash] = true
	}
	require.Len(t, sessions, 3)

	again, err := w.session.Pay(t.Context(), Amount{Count: 1300})
	require.NoError(t, err)
	require.Zero(t, again.Sent)
	require.EqualValues(t, 1300, again.Total().Tickets)
	require.EqualValues(t, 1300, w.seen(t).Accepted)
}

// The limits are held to all parts before any is signed, and to what is left before each.
func TestLimitsHoldForAllParts(t *testing.T) {
	w := largeWorld(t)
	w.session.Request = &store.Request{ID: "one", Digest: "digest"}
	budget := func(tickets int64) policy.Limits {
		limits, err := policy.Default().With(policy.Rules{
			Values: policy.Values{policy.EVPerDay: policy.AmountOf(wei.FromUint64(uint64(tickets) * 1001e9))},
			Where:  func(policy.Setting) string { return "here" },
		})
		require.NoError(t, err)
		limits.MaxTotalEV = nil
		return limits
	}
	most := policy.Default()
	most.MaxTotalEV = big.NewRat(650*1001e9, 1) // more than one set of params comes to
	for name, limits := range map[string]policy.Limits{"all tickets": most, "budget": budget(650)} {
		w.session.Payer.Limits = limits
		_, err := w.session.Pay(t.Context(), Amount{Count: 700})
		require.ErrorIs(t, err, policy.ErrLimit, name)
		require.Zero(t, w.seen(t).Accepted, name)
		records, err := w.session.Requests.Requested(t.Context(), w.signer.Address(), *w.session.Request)
		require.NoError(t, err)
		require.Empty(t, records, name)
	}

	// Another process spends meanwhile what was left: the same request pays the rest later.
	w.session.Payer.Limits = budget(750)
	w.session.Client.Headers = &HeaderLimits{Asked: 1 << 20}
	u, _ := w.proxy(t, true, 1<<20)
	w.through(t, u)
	spent := &spending{Requests: w.session.Requests, spend: func() {
		other := *w.session
		other.Request, other.Kept = nil, inMemory{}
		_, err := other.Pay(t.Context(), Amount{Count: 100})
		require.NoError(t, err)
	}}
	w.session.Requests = spent
	_, err := w.session.Pay(t.Context(), Amount{Count: 700})
	require.ErrorIs(t, err, policy.ErrLimit)
	var partial *PartialError
	require.ErrorAs(t, err, &partial)
	require.EqualValues(t, 600, partial.Paid.Tickets)
	require.Contains(t, partial.Hint(), "--request-id one")
	require.EqualValues(t, 700, w.seen(t).Accepted)
	w.session.Payer.Limits = budget(1000)
	paid, err := w.session.Pay(t.Context(), Amount{Count: 700})
	require.NoError(t, err)
	require.EqualValues(t, 700, paid.Total().Tickets)
	require.EqualValues(t, 800, w.seen(t).Accepted, "of which 100 are another payment's")
}

// spending has something happen once when a delivery begins.
type spending struct {
	Requests
	spend func()
}

func (s *spending) BeginDelivery(ctx context.Context, sender common.Address, r *store.Record) error {
	if spend := s.spend; spend != nil {
		s.spend = nil
		spend()
	}
	return s.Requests.BeginDelivery(ctx, sender, r)
}

// A proxy that takes smaller headers than expected says so in one way or another: the same
// tickets are delivered fewer at once, and the next payment is split before it is signed.
func TestAProxyTakesSmallerHeaders(t *testing.T) {
	for name, c := range map[string]struct {
		overTLS bool
		takes   int // HTTP/1.1 servers take 4096 more, those of HTTP/2 320
	}{"431 over HTTP/1.1": {false, 400}, "announced over HTTP/2": {true, 4000}} {
		t.Run(name, func(t *testing.T) {
			w := largeWorld(t)
			file := filepath.Join(t.TempDir(), "headers.json")
			w.session.Client.Headers = &HeaderLimits{File: file}
			if !c.overTLS {
				w.plain(t)
			}
			u, seen := w.proxy(t, c.overTLS, c.takes)
			w.through(t, u)
			w.session.Request = &store.Request{ID: "one", Digest: "digest"}
			paid, err := w.session.Pay(t.Context(), Amount{Count: 60})
			require.NoError(t, err)
			require.EqualValues(t, 60, paid.Total().Tickets)
			require.EqualValues(t, 60, w.accepted(t))
			require.Greater(t, len(paid.Parts), 1)
			require.Equal(t, len(paid.Parts)+1, paid.Sent, "one delivery did not arrive")

			// Another run knows, also of a payment without an id.
			w.session.Client.Headers = &HeaderLimits{File: file}
			w.session.Request = nil
			before := len(seen.sizes)
			w.through(t, u)
			paid, err = w.session.Pay(t.Context(), Amount{Count: 60})
			require.NoError(t, err)
			require.Equal(t, len(paid.Parts), paid.Sent)
			require.Equal(t, len(paid.Parts), len(seen.sizes)-before)
			require.EqualValues(t, 120, w.accepted(t))
		})
	}
}

// plain has the world's session pay the recipient without TLS.
func (w *world) plain(t *testing.T) {
	t.Helper()
	var plain string
	plain, w.status = w.another(t)
	w.session.URL = parse(t, plain)
}

// accepted is how many tickets the recipient has accepted.
func (w *world) accepted(t *testing.T) int64 {
	t.Helper()
	if w.status != "" {
		return int64(w.seenAt(t, w.status).Accepted)
	}
	return int64(w.seen(t).Accepted)
}

// A batch is delivered in parts too, and a proxy's limit is learnt.
func TestABatchIsDeliveredInParts(t *testing.T) {
	w := largeWorld(t)
	u, seen := w.proxy(t, true, 4000)
	request, err := wire.NewOrchestratorRequest(w.signer.Signer)
	require.NoError(t, err)
	offer, err := w.session.Client.Fetch(t.Context(), w.session.URL, request)
	require.NoError(t, err)
	plan, err := w.session.Payer.Plan(t.Context(), offer.Params, Amount{Count: 100})
	require.NoError(t, err)
	tickets, err := w.session.Payer.Reserve(t.Context(), plan)
	require.NoError(t, err)
	batch, err := tickets.Batch(t.Context(), w.signer)
	require.NoError(t, err)
	segment, err := SegmentHeader(t.Context(), w.signer, offer.Info.GetAuthToken(), time.Now())
	require.NoError(t, err)
	client := &Client{Timeout: testTimeout, Headers: new(HeaderLimits)}
	receipt, accepted, err := client.DeliverBatch(t.Context(), u, batch, segment)
	require.NoError(t, err)
	require.NotNil(t, receipt.Next)
	require.Equal(t, 100, accepted)
	require.EqualValues(t, 100, w.seen(t).Credited)
	require.Greater(t, len(seen.sizes), 2)

	_, accepted, err = client.DeliverBatch(t.Context(), u, batch, segment)
	require.ErrorAs(t, err, new(*RefusedError), "the recipient has them")
	require.Zero(t, accepted)
}

func TestHeaderLimits(t *testing.T) {
	u, other := parse(t, "https://one.example"), parse(t, "https://other.example")
	file := filepath.Join(t.TempDir(), "cache", "headers.json")
	l := &HeaderLimits{File: file}
	require.Equal(t, DefaultMaxHeader, l.For(u))
	l.taken(u, 5000)
	require.Equal(t, DefaultMaxHeader, l.For(u), "which is more")
	l.tooLarge(u, 7000)
	require.Equal(t, 3500, l.For(u))
	require.Equal(t, DefaultMaxHeader, l.For(other))
	l.tooLarge(u, 1200)
	require.Equal(t, MinMaxHeader, l.For(u))

	again := &HeaderLimits{File: file, Asked: 20000}
	require.Equal(t, 20000, again.For(u), "the user's word")
	again.tooLarge(u, 19000)
	require.Equal(t, 9500, again.For(u))
	again.taken(other, 19000)
	require.Equal(t, 19000, (&HeaderLimits{File: file}).For(other), "it worked")

	require.NoError(t, os.WriteFile(file, []byte("no JSON"), 0o600))
	require.Equal(t, DefaultMaxHeader, (&HeaderLimits{File: file}).For(u))
	require.NoError(t, os.WriteFile(file, []byte(`{"`+u.String()+`": {"bytes": 3000, "found": "2020-01-01T00:00:00Z"}}`), 0o600))
	require.Equal(t, DefaultMaxHeader, (&HeaderLimits{File: file}).For(u), "that is long ago")
	var none *HeaderLimits
	none.tooLarge(u, 1)
	none.taken(u, 1)
	require.Equal(t, DefaultMaxHeader, none.For(u))
}

func TestIsTooLarge(t *testing.T) {
	for text, status := range map[string]int{
		"<h1>Request Header Or Cookie Too Large</h1>":          400,
		"Size of a request header field exceeds server limit.": 400,
		"": 431, "Request Entity Too Large": 413, "<h1>URI Too Long</h1>": 414,
	} {
		require.True(t, isTooLarge(status, text), text)
	}
	for text, status := range map[string]int{"no such page": 404, "bad ticket": 400, "header too large": 502} {
		require.False(t, isTooLarge(status, text), text)
	}
}
