package pay

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

var someHeaders = Headers{Payment: "cGF5", Segment: "c2Vn"}

func deliver(t *testing.T, u URL, timeout time.Duration) (*Receipt, error) {
	t.Helper()
	return (&Client{Timeout: timeout}).Deliver(t.Context(), u, me(t).Address(), someHeaders)
}

func TestDeliver(t *testing.T) {
	for _, overTLS := range []bool{true, false} {
		result, err := proto.Marshal(&wire.PaymentResult{Info: goodInfo()})
		require.NoError(t, err)
		var posts atomic.Int32
		u := serve(t, overTLS, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			posts.Add(1)
			if r.Method != http.MethodPost || r.URL.Path != "/payment" ||
				r.Header.Get("Livepeer-Payment") != "cGF5" || r.Header.Get("Livepeer-Segment") != "c2Vn" {
				http.Error(w, "not as it should be", http.StatusTeapot)
			}
			_, _ = w.Write(result)
		}))
		receipt, err := deliver(t, u, testTimeout)
		require.NoError(t, err)
		require.NoError(t, receipt.NextErr)
		require.Equal(t, common.Address{0xaa}, receipt.Next.Params.Recipient)
		require.Equal(t, me(t).Address(), receipt.Next.Sender)
		require.EqualValues(t, 1, posts.Load())
	}
}

// The status says that the payment was accepted, whatever follows it.
func TestAcceptedWithoutFreshParams(t *testing.T) {
	empty, err := proto.Marshal(&wire.PaymentResult{})
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		is     error
	}{
		{"no params", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(empty) }, ErrNoTicketParams},
		{"no message", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte{0xff}) }, ErrMalformed},
		{"huge", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2*maxAnswer)) }, ErrMalformed},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("x"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			receipt, err := deliver(t, serve(t, true, c.answer), testTimeout)
			require.NoError(t, err)
			require.Nil(t, receipt.Next)
			require.Error(t, receipt.NextErr)
			if c.is != nil {
				require.ErrorIs(t, receipt.NextErr, c.is)
			}
		})
	}
}

func TestDeliverRefused(t *testing.T) {
	for _, c := range []struct {
		status int
		text   string
		taken  bool
		hint   string
		is     error
	}{
		{400, "ticket senderNonce was seen before\n", true, "fresh ticket params", nil},
		{402, "cannot decode", false, "proxy", nil},
		{403, "expired auth token", false, "fetch fresh", nil},
		{500, "insufficient sender reserve", false, "--reserve", pm.ErrInsufficientSenderReserve},
		{503, "busy", false, "no ticket was taken", nil},
		{418, "\x1b]0;pwned\x07", false, "", nil},
	} {
		u := serve(t, true, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, c.text, c.status) }))
		_, err := deliver(t, u, testTimeout)
		var refused *RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, c.status, refused.Status)
		require.Equal(t, c.taken, refused.TicketsTaken)
		require.Contains(t, refused.Hint(), c.hint)
		require.NotContains(t, err.Error(), "\x1b")
		require.NotContains(t, err.Error(), "\n")
		if c.is != nil {
			require.ErrorIs(t, err, c.is)
		}
	}
}

// A payment goes where it was meant to go, and nowhere else.
func TestDeliverFollowsNoRedirect(t *testing.T) {
	var reached atomic.Bool
	elsewhere := serve(t, false, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	for _, status := range []int{301, 302, 303, 307, 308} {
		u := serve(t, true, http.RedirectHandler(elsewhere.String()+"/payment", status))
		_, err := deliver(t, u, testTimeout)
		var refused *RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, status, refused.Status)
		require.Contains(t, refused.Hint(), "redirects are not followed")
	}
	require.False(t, reached.Load())
}

func TestNothingWasSent(t *testing.T) {
	plain := serve(t, false, http.NotFoundHandler())
	for name, u := range map[string]URL{
		"nothing listens": nobody(t, "https"),
		"no TLS there":    {"https", plain.host},
		"unknown name":    parse(t, "https://no-such-host.invalid"),
	} {
		_, err := deliver(t, u, testTimeout)
		require.ErrorIs(t, err, ErrUnreachable, name)
		require.NotErrorAs(t, err, new(*UnknownOutcomeError), name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := (&Client{}).Deliver(ctx, plain, common.Address{}, someHeaders)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorAs(t, err, new(*UnknownOutcomeError))
}

func TestUnknownOutcome(t *testing.T) {
	var posts atomic.Int32
	hangs := func(w http.ResponseWriter, r *http.Request) {
		posts.Add(1)
		<-r.Context().Done()
	}
	drops := func(http.ResponseWriter, *http.Request) {
		posts.Add(1)
		panic(http.ErrAbortHandler)
	}
	hangsUp := serveTCP(t, "http", func(conn net.Conn) {
		posts.Add(1)
		_, _ = conn.Read(make([]byte, 10))
		conn.Close()
	})
	for name, c := range map[string]struct {
		url     URL
		timeout time.Duration
	}{
		"hangs":                  {serve(t, true, http.HandlerFunc(hangs)), 300 * time.Millisecond},
		"drops the connection":   {serve(t, true, http.HandlerFunc(drops)), testTimeout},
		"drops it without TLS":   {serve(t, false, http.HandlerFunc(drops)), testTimeout},
		"hangs up in the middle": {hangsUp, testTimeout},
	} {
		posts.Store(0)
		_, err := deliver(t, c.url, c.timeout)
		var unknown *UnknownOutcomeError
		require.ErrorAs(t, err, &unknown, name)
		require.NotErrorIs(t, err, ErrUnreachable, name)
		require.ErrorContains(t, err, "may have been accepted", name)
		require.Contains(t, unknown.Hint(), "do not deliver these tickets again")
		require.EqualValues(t, 1, posts.Load(), "%s: sent once", name)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	u := serve(t, true, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel(interrupted)
		<-r.Context().Done()
	}))
	_, err := (&Client{Timeout: testTimeout}).Deliver(ctx, u, common.Address{}, someHeaders)
	require.ErrorAs(t, err, new(*UnknownOutcomeError))
	require.ErrorIs(t, err, interrupted)
}
