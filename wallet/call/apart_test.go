package call_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/devnet/runners"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote/client"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
)

// signedBy pays a session by a remote signer behind a proxy, and returns what that has signed.
func (w *world) signedBy(runner string, before func(signer http.Handler) http.Handler, use func(context.Context)) (result *call.Result, signed policy.Sum, err error) {
	w.t.Helper()
	account := w.open()
	defer account.Close()
	signs, err := wallet.NewRemoteSigner(w.t.Context(), account, wallet.RemoteSignerOptions{Identify: identity.Any{identity.None{}}})
	require.NoError(w.t, err)
	defer signs.Close()
	server := httptest.NewServer(before(signs.Handler()))
	defer server.Close()
	c, err := client.New(server.URL, "")
	require.NoError(w.t, err)
	target, err := call.ParseTarget(w.net.Recipients()[0].State().URL + "/apps/" + runner + "/session")
	require.NoError(w.t, err)
	caller, end, err := wallet.NewSignerCaller(w.t.Context(), c, nil, wallet.CallOptions{Answered: func(*http.Response) error { return nil }})
	require.NoError(w.t, err)
	defer end()
	caller.Now, caller.After = w.clock.Now, w.clock.After
	if w.after != nil {
		caller.After = w.after
	}
	if w.between != nil {
		caller.HTTP.Transport = proxy{caller.HTTP.Transport, w.between}
	}
	result, err = caller.Hold(w.t.Context(), &call.Request{Target: target, Method: http.MethodPost}, call.SessionOptions{For: w.lasts, Run: func(ctx context.Context, _ call.Session) error {
		use(ctx)
		return nil
	}})
	state, unread := signs.State(w.t.Context())
	require.NoError(w.t, unread)
	return result, state.Made, err
}

// worthTwice has tickets of fresh params be worth twice as much as those before.
func (w *world) worthTwice(r *http.Request) *http.Response {
	if !strings.HasSuffix(r.URL.Path, "/refresh-payment") {
		return nil
	}
	response, err := call.HTTPClient().Transport.RoundTrip(r)
	require.NoError(w.t, err)
	defer response.Body.Close()
	var challenge map[string]any
	require.NoError(w.t, json.NewDecoder(response.Body).Decode(&challenge))
	encoded, err := base64.StdEncoding.DecodeString(challenge["payment_params"].(string))
	require.NoError(w.t, err)
	info := new(wire.OrchestratorInfo)
	require.NoError(w.t, proto.Unmarshal(encoded, info))
	face := new(big.Int).SetBytes(info.TicketParams.FaceValue)
	info.TicketParams.FaceValue = face.Lsh(face, 1).Bytes()
	encoded, err = proto.Marshal(info)
	require.NoError(w.t, err)
	challenge["payment_params"] = encoded
	body, err := json.Marshal(challenge)
	require.NoError(w.t, err)
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response.Header.Del("Content-Length")
	return response
}

// TestASignerThatFailsForAWhile does not end a session, whether it was asked or not; and what it signed is
// delivered, though its first answer was lost.
func TestASignerThatFailsForAWhile(t *testing.T) {
	for name, fails := range map[string]func(signer http.Handler, rw http.ResponseWriter, r *http.Request){
		"not reached": func(http.Handler, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"answer lost": func(signer http.Handler, _ http.ResponseWriter, r *http.Request) {
			signer.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		},
		"store down": func(_ http.Handler, rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(http.StatusServiceUnavailable)
		},
		"proxy without it": func(_ http.Handler, rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusBadGateway) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.between = w.worthTwice
			var down atomic.Bool
			result, signed, err := w.signedBy("lv1", func(signer http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if down.Load() && strings.HasSuffix(r.URL.Path, "/generate-live-payment") {
						fails(signer, rw, r)
						return
					}
					signer.ServeHTTP(rw, r)
				})
			}, func(ctx context.Context) {
				w.ticks(ctx, 1)
				down.Store(true)
				w.ticks(ctx, 2) // after the second the orchestrator is asked for fresh params
				down.Store(false)
				w.ticks(ctx, 2)
			})
			require.NoError(t, err)
			require.EqualValues(t, result.Tickets, w.sessions().Tickets.Accepted)
			require.Equal(t, signed.Tickets, result.Tickets, "all that was signed was delivered")
			require.Equal(t, signed.EV, result.Paid, "and counted at its own EV")
		})
	}
}

// TestAMinuteOfASignersSession costs a minute, though a signer counts a second whole that has begun by its own
// clock, each of its answers takes a while, and a process wakes late.
func TestAMinuteOfASignersSession(t *testing.T) {
	w := newWorld(t)
	begun, left, minute := w.clock.Now(), 12, make(chan struct{})
	w.after = func(d time.Duration) <-chan time.Time {
		if left--; left < 0 {
			close(minute)
			return nil
		}
		return w.clock.Past(d + 20*time.Millisecond)
	}
	result, _, err := w.signedBy("live1", func(signer http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			signer.ServeHTTP(rw, r)
			w.clock.Past(200 * time.Millisecond)
		})
	}, func(ctx context.Context) { <-minute })
	require.NoError(t, err)
	require.EqualValues(t, 10+60, result.Units)
	require.Greater(t, w.clock.Now().Sub(begun), 59*time.Second)
}

// TestASignerThatIsSlow signs for a session that has ended meanwhile, or will: that payment is not sent.
func TestASignerThatIsSlow(t *testing.T) {
	for name, takes := range map[string]time.Duration{"ended meanwhile": 15 * time.Second, "for too long": time.Minute} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			var slow atomic.Bool
			var late atomic.Int32
			w.between = func(r *http.Request) *http.Response {
				if slow.Load() && strings.HasSuffix(r.URL.Path, "/payment") {
					late.Add(1)
				}
				return nil
			}
			var before uint64
			_, signed, err := w.signedBy("live1", func(signer http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					signer.ServeHTTP(rw, r)
					if slow.Load() {
						w.clock.Past(takes)
					}
				})
			}, func(ctx context.Context) {
				w.ticks(ctx, 2)
				before = w.sessions().Tickets.Received
				slow.Store(true)
				w.untilStopped(ctx)
			})
			require.ErrorAs(t, err, new(*call.SessionLostError))
			require.Greater(t, signed.Tickets, before)
			require.Zero(t, late.Load())
		})
	}
}

// TestASignerThatDoesNotAnswer at all is given up after the timeout of everything else.
func TestASignerThatDoesNotAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer server.Close()
	c, err := client.New(server.URL, "")
	require.NoError(t, err)
	_, _, err = wallet.NewSignerCaller(t.Context(), c, nil, wallet.CallOptions{Timeout: 50 * time.Millisecond})
	require.ErrorIs(t, err, client.ErrUnreachable)
	require.ErrorContains(t, err, "no answer within 50ms")
}

// TestASignerThatHangs is waited for as long as a session may go unpaid, and no longer.
func TestASignerThatHangs(t *testing.T) {
	w := newWorld(t)
	var hangs atomic.Bool
	_, _, err := w.signedBy("lv1", func(signer http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if hangs.Load() {
				_, _ = io.Copy(io.Discard, r.Body)
				<-r.Context().Done()
				return
			}
			signer.ServeHTTP(rw, r)
		})
	}, func(ctx context.Context) {
		w.ticks(ctx, 1)
		hangs.Store(true)
		w.clock.Past(24900 * time.Millisecond)
		w.ticks(ctx, 1)
		<-ctx.Done()
	})
	require.ErrorAs(t, err, new(*call.SessionLostError))
	require.ErrorContains(t, err, "no payment was signed for 30s")
	require.Equal(t, wallet.ClassUnreachable, wallet.ClassOf(err))
}

// TestASessionEndsWhileASignerHangs: what it was to sign is not needed any more, and the session is stopped.
func TestASessionEndsWhileASignerHangs(t *testing.T) {
	for name, lasts := range map[string]time.Duration{"with its command": 0, "by its length": time.Second} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.lasts = lasts
			w.after = func(d time.Duration) <-chan time.Time {
				if d == lasts {
					return time.After(d)
				}
				return w.clock.After(d)
			}
			var used atomic.Bool
			asked := make(chan struct{}, 1)
			result, _, err := w.signedBy("lv1", func(signer http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if used.Load() {
						_, _ = io.Copy(io.Discard, r.Body)
						asked <- struct{}{}
						<-r.Context().Done()
						return
					}
					signer.ServeHTTP(rw, r)
				})
			}, func(ctx context.Context) {
				w.ticks(ctx, 1)
				used.Store(true)
				w.clock.Past(14900 * time.Millisecond)
				w.clock.Tick(ctx, 5*time.Second)
				if lasts > 0 {
					<-ctx.Done()
					return
				}
				<-asked
			})
			require.NoError(t, err)
			require.LessOrEqual(t, result.Payments, 2)
			require.Equal(t, runners.Stopped, w.sessions().Sessions[0].State)
		})
	}
}

// TestANodeThatFailsForAWhile does not end a session of an account that pays by itself.
func TestANodeThatFailsForAWhile(t *testing.T) {
	w := newWorld(t)
	node, err := url.Parse(w.net.RPCURL())
	require.NoError(t, err)
	var down atomic.Bool
	through := httputil.NewSingleHostReverseProxy(node)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		through.ServeHTTP(rw, r)
	}))
	defer server.Close()
	w.node = server.URL
	result, err := w.hold("lv1", "", call.Terms{}, func(ctx context.Context) {
		w.ticks(ctx, 1)
		down.Store(true)
		w.clock.Tick(ctx, 5*time.Second)
		w.ticks(ctx, 1)
		down.Store(false)
		w.ticks(ctx, 2)
	})
	require.NoError(t, err)
	require.EqualValues(t, result.Tickets, w.sessions().Tickets.Accepted)
	require.GreaterOrEqual(t, result.Payments, 3)
}

// TestADatabaseThatFailsAsAPaymentArrives does not end a session: the orchestrator has the payment,
// whether that was recorded or not.
func TestADatabaseThatFailsAsAPaymentArrives(t *testing.T) {
	var server pgtest.Server
	w := newWorld(t)
	w.store = server.Database(t)
	t.Cleanup(server.Stop)
	var fails atomic.Bool
	w.between = func(r *http.Request) *http.Response {
		if strings.HasSuffix(r.URL.Path, "/payment") && fails.CompareAndSwap(true, false) {
			server.Crash(t, true)
		}
		return nil
	}
	result, err := w.hold("lv1", "id", call.Terms{}, func(ctx context.Context) {
		w.ticks(ctx, 1)
		fails.Store(true)
		w.ticks(ctx, 2)
		server.Start(t)
		w.ticks(ctx, 2)
	})
	require.NoError(t, err)
	require.EqualValues(t, result.Tickets, w.sessions().Tickets.Accepted)
	require.EqualValues(t, result.Tickets, w.sessions().Tickets.Received, "none was sent twice")
	require.GreaterOrEqual(t, result.Payments, 4)
}
