package pay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

func TestFetch(t *testing.T) {
	for _, overTLS := range []bool{true, false} {
		t.Run(fmt.Sprintf("TLS %v", overTLS), func(t *testing.T) {
			info := goodInfo()
			// Fields of tomorrow survive.
			info.ProtoReflect().SetUnknown([]byte{0xfa, 0x01, 0x01, 0x2a})
			var got *wire.OrchestratorRequest
			u := serveGRPC(t, overTLS, func(_ context.Context, req *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
				got = req
				return info, nil
			})
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			client := &Client{Timeout: testTimeout, Now: func() time.Time { return now }}
			offer, err := client.Fetch(t.Context(), u, signedRequest(t))
			require.NoError(t, err)

			sender := me(t).Address()
			require.Equal(t, sender, common.BytesToAddress(got.Address))
			require.True(t, new(pm.DefaultSigVerifier).Verify(sender, wire.OrchestratorRequestMessage(sender), got.Sig))

			require.Equal(t, u, offer.URL)
			require.Equal(t, u, offer.Transcoder, "an answer without transcoder is paid where it was asked")
			require.Equal(t, sender, offer.Sender)
			require.Equal(t, now, offer.FetchedAt)
			require.Equal(t, common.Address{0xaa}, offer.Params.Recipient)
			require.Equal(t, "1200", offer.Params.PricePerPixel.RatString())
			require.EqualValues(t, 5, offer.Params.ExpirationParams.CreationRound)
			require.True(t, proto.Equal(info, offer.Info), "%v", offer.Info)
		})
	}
}

func TestFetchFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		url  func(t *testing.T) URL
		// is is what the error is matched by, says what it says
		is   error
		says string
		// late reports whether the time must run out
		late bool
	}{
		{name: "nothing listens", url: func(t *testing.T) URL { return unused(t, "https") }, is: ErrUnreachable, says: "connection was refused"},
		{name: "nothing listens without TLS", url: func(t *testing.T) URL { return unused(t, "http") }, is: ErrUnreachable, says: "connection was refused"},
		{name: "unknown name", url: func(t *testing.T) URL { return parse(t, "https://no-such-host.invalid") }, is: ErrUnreachable, says: "the name no-such-host.invalid"},
		{name: "silence", url: func(t *testing.T) URL {
			return serveTCP(t, "https", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		}, is: ErrUnreachable, says: "within", late: true},
		{name: "silence without TLS", url: func(t *testing.T) URL {
			return serveTCP(t, "http", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		}, is: ErrUnreachable, says: "within", late: true},
		{name: "slow", url: func(t *testing.T) URL {
			return serveGRPC(t, true, func(ctx context.Context, _ *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
		}, is: ErrUnreachable, says: "no answer within 400ms", late: true},
		{name: "https:// to a server without TLS", url: func(t *testing.T) URL {
			u := serve(t, false, http.NotFoundHandler())
			return URL{"https", u.host}
		}, is: ErrUnreachable, says: "it does not speak TLS: if it is a recipient without TLS, use http://127.0.0.1:"},
		{name: "http:// to a server with TLS", url: func(t *testing.T) URL {
			u := serveGRPC(t, true, answering(goodInfo()))
			return URL{"http", u.host}
		}, is: ErrNotRecipient, says: "it speaks TLS: use https://127.0.0.1:"},
		{name: "an old TLS", url: func(t *testing.T) URL { return serveOldTLS(t) }, is: ErrUnreachable, says: "TLS handshake failed"},
		{name: "garbage", url: func(t *testing.T) URL {
			return serveTCP(t, "http", func(conn net.Conn) {
				_, _ = conn.Write([]byte(strings.Repeat("SSH-2.0-OpenSSH_9.9\r\n", 100)))
				conn.Close()
			})
		}, is: ErrNotRecipient, says: "does not speak gRPC"},
		{name: "hangs up", url: func(t *testing.T) URL {
			return serveTCP(t, "http", func(conn net.Conn) { conn.Close() })
		}, is: ErrNotRecipient, says: "does not speak gRPC"},
		{name: "a web server", url: func(t *testing.T) URL { return serve(t, true, http.NotFoundHandler()) }, is: ErrNotRecipient, says: "404"},
		{name: "a web server that likes everything", url: func(t *testing.T) URL {
			return serve(t, true, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello") }))
		}, is: ErrNotRecipient, says: "does not speak gRPC"},
		{name: "a redirect", url: func(t *testing.T) URL {
			return serve(t, true, http.RedirectHandler("https://elsewhere.invalid/", http.StatusFound))
		}, is: ErrNotRecipient, says: "302"},
		{name: "an old web server", url: func(t *testing.T) URL { return serveHTTP1(t) }, is: ErrNotRecipient, says: "HTTP/2"},
		{name: "another gRPC server", url: func(t *testing.T) URL { return serveGRPC(t, true, nil) }, is: ErrNotRecipient, says: "does not know GetOrchestrator"},
		{name: "a proxy without its recipient", url: func(t *testing.T) URL {
			return serveGRPC(t, true, func(context.Context, *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
				return nil, status.Error(codes.Unavailable, "no healthy upstream")
			})
		}, is: ErrUnreachable, says: "no healthy upstream"},
		{name: "a proxy whose recipient is down", url: func(t *testing.T) URL {
			return serve(t, true, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
		}, is: ErrUnreachable, says: "a proxy answers instead of it, with HTTP status 502"},
		{name: "killed meanwhile", url: func(t *testing.T) URL {
			return serve(t, true, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_ = r.Context().Value(http.ServerContextKey).(*http.Server).Close()
			}))
		}, is: ErrUnreachable, says: "the connection was closed before the answer was complete"},
		{name: "broken off", url: func(t *testing.T) URL {
			return serve(t, true, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
		}, is: ErrUnreachable, says: "the connection was closed before the answer was complete"},
		{name: "broken off in the answer", url: func(t *testing.T) URL {
			return serve(t, true, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				beginAnswer(w)
				panic(http.ErrAbortHandler)
			}))
		}, is: ErrUnreachable, says: "the connection was closed before the answer was complete"},
		{name: "killed in the answer", url: func(t *testing.T) URL {
			return serve(t, true, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				beginAnswer(w)
				_ = r.Context().Value(http.ServerContextKey).(*http.Server).Close()
			}))
		}, is: ErrUnreachable, says: "the connection was closed before the answer was complete"},
		{name: "a proxy with TLS whose recipient does not listen", url: func(t *testing.T) URL {
			config := &tls.Config{NextProtos: []string{"h2"}, Certificates: []tls.Certificate{certificate(t)}}
			return serveTCP(t, "https", func(conn net.Conn) {
				secure := tls.Server(conn, config)
				_ = secure.Handshake()
				secure.Close()
			})
		}, is: ErrUnreachable, says: "the connection was closed before the answer was complete"},
		{name: "a server that demands a certificate", url: func(t *testing.T) URL {
			return serveTLS(t, &tls.Config{NextProtos: []string{"h2"}, ClientAuth: tls.RequireAnyClientCert})
		}, is: ErrUnreachable, says: "the TLS handshake failed: the server refused it: certificate required"},
		{name: "bytes that are no message", url: func(t *testing.T) URL {
			return serve(t, true, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/grpc")
				w.Header().Set("Trailer", "Grpc-Status")
				_, _ = w.Write([]byte{0, 0, 0, 0, 3, 0xff, 0xff, 0xff})
				w.Header().Set("Grpc-Status", "0")
			}))
		}, is: ErrMalformed},
		{name: "huge", url: func(t *testing.T) URL {
			info := goodInfo()
			info.Capabilities = make([]byte, 2*maxAnswer)
			return serveGRPC(t, true, answering(info))
		}, is: ErrMalformed, says: "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := &Client{Timeout: testTimeout}
			if c.late {
				client.Timeout = 400 * time.Millisecond
			}
			_, err := client.Fetch(t.Context(), c.url(t), signedRequest(t))
			for _, kind := range []error{ErrUnreachable, ErrNotRecipient, ErrMalformed} {
				require.Equal(t, kind == c.is, errors.Is(err, kind), "%v: %v", kind, err)
			}
			require.ErrorContains(t, err, c.says)
			requireOwnWords(t, err)
		})
	}
}

// TestTheSystemsTimeoutIsNotTheClients: a system gives up a connection by its own clock, and the error
// does not state the client's timeout for it.
func TestTheSystemsTimeoutIsNotTheClients(t *testing.T) {
	for _, op := range []string{"dial", "read"} {
		err := Unreachable(parse(t, "https://recipient.example"), &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError("connect", syscall.ETIMEDOUT)})
		require.ErrorIs(t, err, ErrUnreachable)
		require.ErrorContains(t, err, "the connection timed out")
		require.NotContains(t, err.Error(), "within")
	}
}

// beginAnswer sends the beginning of a message.
func beginAnswer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/grpc")
	_, _ = w.Write([]byte{0, 0, 0, 0, 99, 0})
	w.(http.Flusher).Flush()
}

// requireOwnWords fails for an error that repeats a library's message.
func requireOwnWords(t *testing.T, err error) {
	t.Helper()
	require.NotRegexp(t, `preface|http2|transport|desc =|EOF|tcp|tls: |grpc:|proto:|Post "|context|server closed|frame`, err.Error())
}

func serveHTTP1(t *testing.T) URL {
	return serveTLS(t, &tls.Config{NextProtos: []string{"http/1.1"}})
}

func serveOldTLS(t *testing.T) URL {
	return serveTLS(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
}

// serveTLS makes a handshake and nothing more.
func serveTLS(t *testing.T, config *tls.Config) URL {
	config.Certificates = []tls.Certificate{certificate(t)}
	return serveTCP(t, "https", func(conn net.Conn) {
		_, _ = io.Copy(io.Discard, tls.Server(conn, config))
		// Closed with data unread, a connection is reset, and an alert before that may be lost.
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	})
}

func TestFetchPassesOnTheRecipientsWords(t *testing.T) {
	for _, c := range []struct {
		err       error
		text      string
		reserve   bool
		hintsFund bool
	}{
		{errors.New("insufficient sender reserve"), "insufficient sender reserve", true, true},
		{status.Error(codes.PermissionDenied, "not on my list"), "not on my list", false, false},
		{errors.New("\x1b[2Jred\r\nalert\x07" + strings.Repeat("x", 1000)), "\uFFFD[2Jred  alert\uFFFDxxx", false, false},
		{errors.New(""), "(no reason given)", false, false},
	} {
		u := serveGRPC(t, true, func(context.Context, *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) { return nil, c.err })
		_, err := (&Client{Timeout: testTimeout}).Fetch(t.Context(), u, signedRequest(t))
		var refused *RefusedError
		require.ErrorAs(t, err, &refused)
		require.Zero(t, refused.Status)
		require.True(t, strings.HasPrefix(refused.Text, c.text), refused.Text)
		require.Less(t, len(refused.Text), 400)
		require.Equal(t, c.reserve, errors.Is(err, pm.ErrInsufficientSenderReserve))
		require.Equal(t, c.hintsFund, strings.Contains(refused.Hint(), "pmctl fund"))
	}
}

func TestFetchEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	u := serveGRPC(t, true, func(ctx context.Context, _ *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	})
	_, err := (&Client{Timeout: testTimeout}).Fetch(ctx, u, signedRequest(t))
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrUnreachable)
}

func TestMalformedAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*wire.OrchestratorInfo)
		is    error
		says  string
	}{
		{name: "no ticket params", spoil: func(i *wire.OrchestratorInfo) { i.TicketParams = nil }, is: ErrNoTicketParams},
		{name: "nothing at all", spoil: func(i *wire.OrchestratorInfo) { proto.Reset(i) }, is: ErrNoTicketParams},
		{name: "33-byte face value", spoil: func(i *wire.OrchestratorInfo) { i.TicketParams.FaceValue = make([]byte, 33) }, is: ErrMalformed, says: "ticket_params.face_value: got 33 bytes"},
		{name: "33-byte winProb", spoil: func(i *wire.OrchestratorInfo) { i.TicketParams.WinProb = make([]byte, 33) }, is: ErrMalformed, says: "win_prob"},
		{name: "33-byte seed", spoil: func(i *wire.OrchestratorInfo) { i.TicketParams.Seed = make([]byte, 33) }, is: ErrMalformed, says: "seed"},
		{name: "33-byte expiration block", spoil: func(i *wire.OrchestratorInfo) { i.TicketParams.ExpirationBlock = make([]byte, 33) }, is: ErrMalformed, says: "expiration_block"},
		{name: "short recipient", spoil: func(i *wire.OrchestratorInfo) { i.TicketParams.Recipient = make([]byte, 19) }, is: ErrMalformed, says: "ticket_params.recipient: got 19 bytes"},
		{name: "short node address", spoil: func(i *wire.OrchestratorInfo) { i.Address = make([]byte, 19) }, is: ErrMalformed, says: "address: got 19 bytes"},
		{name: "no recipient", spoil: func(i *wire.OrchestratorInfo) { i.TicketParams.Recipient = nil }, is: ErrMalformed, says: "recipient"},
		{name: "zero recipient", spoil: func(i *wire.OrchestratorInfo) { i.TicketParams.Recipient = make([]byte, 20) }, is: ErrMalformed, says: "zero address"},
		{name: "short hash", spoil: func(i *wire.OrchestratorInfo) { i.TicketParams.RecipientRandHash = make([]byte, 31) }, is: ErrMalformed, says: "recipient_rand_hash"},
		{name: "negative round", spoil: func(i *wire.OrchestratorInfo) { i.TicketParams.ExpirationParams.CreationRound = -1 }, is: ErrMalformed, says: "creation_round"},
		{name: "negative price", spoil: func(i *wire.OrchestratorInfo) { i.PriceInfo.PricePerUnit = -1 }, is: ErrMalformed, says: "price_info"},
		{name: "price for no pixels", spoil: func(i *wire.OrchestratorInfo) { i.PriceInfo.PixelsPerUnit = 0 }, is: ErrMalformed, says: "pixels"},
		{name: "transcoder is no URL", spoil: func(i *wire.OrchestratorInfo) { i.Transcoder = "ftp://x" }, is: ErrMalformed, says: "transcoder"},
		{name: "transcoder without TLS", spoil: func(i *wire.OrchestratorInfo) { i.Transcoder = "http://127.0.0.1:1" }, is: ErrMalformed, says: "paid without"},
	} {
		t.Run(c.name, func(t *testing.T) {
			info := goodInfo()
			c.spoil(info)
			u := serveGRPC(t, true, answering(info))
			_, err := (&Client{Timeout: testTimeout}).Fetch(t.Context(), u, signedRequest(t))
			require.ErrorIs(t, err, c.is)
			require.ErrorContains(t, err, c.says)
			require.NotErrorIs(t, err, ErrURL, "the user's URL was right")
		})
	}
}

func TestMissingExpirationParamsAreNoFault(t *testing.T) {
	info := goodInfo()
	info.TicketParams.ExpirationParams = nil
	u := serveGRPC(t, true, answering(info))
	offer, err := (&Client{Timeout: testTimeout}).Fetch(t.Context(), u, signedRequest(t))
	require.NoError(t, err)
	require.Nil(t, offer.Params.ExpirationParams)
}
