package pay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
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

// An answer without fresh params is the recipient's own nevertheless.
func TestAcceptedWithoutFreshParams(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*wire.OrchestratorInfo)
		is    error
	}{
		{"no params", func(info *wire.OrchestratorInfo) { info.TicketParams = nil }, ErrNoTicketParams},
		{"bad params", func(info *wire.OrchestratorInfo) { info.TicketParams.Recipient = []byte{1} }, ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			info := goodInfo()
			c.spoil(info)
			answer, err := proto.Marshal(&wire.PaymentResult{Info: info})
			require.NoError(t, err)
			receipt, err := deliver(t, serve(t, true, saying(http.StatusOK, "", string(answer))), testTimeout)
			require.NoError(t, err)
			require.Nil(t, receipt.Next)
			require.ErrorIs(t, receipt.NextErr, c.is)
		})
	}
}

// saying answers everything in the same way.
func saying(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// An answer that may not be the recipient's says nothing about its tickets.
func TestAnswersOfOthers(t *testing.T) {
	died := serve(t, false, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	behind, err := url.Parse(died.String())
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	whole, err := proto.Marshal(&wire.PaymentResult{Info: goodInfo()})
	require.NoError(t, err)
	for name, handler := range map[string]http.Handler{
		"a proxy whose recipient died": proxy,
		"502":                          saying(502, "text/html", "<h1>Bad Gateway</h1>"),
		"503":                          saying(503, "text/plain", "busy"),
		"504":                          saying(504, "text/plain", "took too long"),
		"520":                          saying(520, "text/plain", "error code: 520"),
		"524":                          saying(524, "", ""),
		"500 in HTML":                  saying(500, "text/html", "<h1>Internal Server Error</h1>"),
		"500 of a server":              saying(500, "text/plain", "Internal Server Error"),
		"500 without a word":           saying(500, "text/plain", ""),
		"408":                          saying(408, "text/plain", "timeout"),
		"499":                          saying(499, "text/plain", "client closed"),
		"204":                          saying(204, "", ""),
		"400 in HTML":                  saying(400, "text/html", "<h1>Request Header Or Cookie Too Large</h1>"),
		"400 without a word":           saying(400, "text/plain", ""),
		"401":                          saying(401, "text/plain", "who are you"),
		"403 of a firewall":            saying(403, "text/html; charset=utf-8", "<h1>Sorry, you have been blocked</h1>"),
		"404 of a virtual host":        saying(404, "text/plain", "404 page not found"),
		"407":                          saying(407, "text/plain", "Proxy Authentication Required"),
		"413":                          saying(413, "text/plain", "too large"),
		"414":                          saying(414, "text/html", "<h1>URI Too Long</h1>"),
		"418":                          saying(418, "text/plain", "I'm a teapot"),
		"426":                          saying(426, "text/plain", "Upgrade Required"),
		"431":                          saying(431, "text/plain", "header fields too large"),
		"a web page":                   saying(200, "text/html", "<html>hello</html>"),
		"nothing":                      saying(200, "", ""),
		"no message":                   saying(200, "", "\xff"),
		"huge":                         saying(200, "", string(make([]byte, 2*maxAnswer))),
		"broken off": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
			_, _ = w.Write(whole[:len(whole)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			receipt, err := deliver(t, serve(t, true, handler), testTimeout)
			require.ErrorAs(t, err, new(*UnknownOutcomeError))
			require.NotErrorAs(t, err, new(*RefusedError))
			require.ErrorContains(t, err, "may have been accepted")
			requireOwnWords(t, err)
			require.Nil(t, receipt)
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
		{400, "invalid ticket recipientRand\n", true, "unless it says otherwise: pay with fresh", nil},
		{402, "cannot decode", false, "proxy", nil},
		{403, "expired auth token", false, "cannot prove it", nil},
		{500, "cannot make ticket params", false, "cannot prove it", nil},
		{500, "insufficient sender reserve", false, "--reserve", pm.ErrInsufficientSenderReserve},
		{400, "\x1b]0;pwned\x07", true, "", nil},
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
		var unknown *UnknownOutcomeError
		require.ErrorAs(t, err, &unknown)
		require.NotErrorAs(t, err, new(*RefusedError))
		require.Contains(t, unknown.Hint(), "follows no redirect")
	}
	require.False(t, reached.Load())
}

// A server that refuses each request over HTTP/2 so that it may be sent again gets it once.
func TestAServerThatTakesNoRequest(t *testing.T) {
	config := &tls.Config{NextProtos: []string{"h2"}, Certificates: []tls.Certificate{certificate(t)}}
	var connections atomic.Int32
	u := serveTCP(t, "https", func(conn net.Conn) {
		defer conn.Close()
		connections.Add(1)
		secure := tls.Server(conn, config)
		_, _ = io.CopyN(io.Discard, secure, int64(len(http2.ClientPreface)))
		framer := http2.NewFramer(secure, secure)
		_ = framer.WriteSettings()
		for frame, err := framer.ReadFrame(); err == nil; frame, err = framer.ReadFrame() {
			if _, ok := frame.(*http2.HeadersFrame); ok {
				_ = framer.WriteGoAway(0, http2.ErrCodeNo, nil)
			}
		}
	})
	_, err := deliver(t, u, testTimeout)
	require.ErrorAs(t, err, new(*UnknownOutcomeError))
	require.ErrorContains(t, err, "the connection was closed before the answer was complete")
	require.EqualValues(t, 1, connections.Load())
	_, err = (&Client{Timeout: testTimeout}).Fetch(t.Context(), u, signedRequest(t))
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorContains(t, err, "the connection was closed before the answer was complete")
	require.EqualValues(t, 2, connections.Load())
}

// TestTLSAlertsOfADelivery: the server's reason for ending a handshake is named.
func TestTLSAlertsOfADelivery(t *testing.T) {
	_, err := deliver(t, serveOldTLS(t), testTimeout)
	require.ErrorIs(t, err, ErrUnreachable)
	require.ErrorContains(t, err, "the TLS handshake failed: the server refused it: protocol version not supported")
	_, err = deliver(t, serveTLS(t, &tls.Config{NextProtos: []string{"h2"}, ClientAuth: tls.RequireAnyClientCert}), testTimeout)
	// The client has sent its part by then. Its HTTP/2 names the reason only if it had begun with the request.
	require.ErrorAs(t, err, new(*UnknownOutcomeError))
}

func TestNothingWasSent(t *testing.T) {
	plain := serve(t, false, http.NotFoundHandler())
	for name, u := range map[string]URL{
		"nothing listens": unused(t, "https"),
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
		requireOwnWords(t, err)
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
