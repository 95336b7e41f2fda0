package call

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
)

// answeredBy is a caller of the captured orchestrator, whose app is one of the test's own.
func answeredBy(t *testing.T, app http.HandlerFunc) *Caller {
	t.Helper()
	caller, _, r, _ := captured(t)
	caller.HTTP = servedAt(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get(wire.PaymentHeader) != "" {
			app(w, req)
			return
		}
		r.ServeHTTP(w, req)
	}))
	return caller
}

// TestAServerThatTakesNoExpect is asked once more without, with the whole body.
func TestAServerThatTakesNoExpect(t *testing.T) {
	for name, body := range map[string]*Body{"once": NewBody(strings.NewReader("{}"), 2), "repeats": BytesBody([]byte("{}"))} {
		t.Run(name, func(t *testing.T) {
			caller, _, _, _ := captured(t)
			var asked []string
			caller.HTTP = startedAt(t, httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if !strings.Contains(req.URL.Path, "/app/x") {
					http.NotFound(w, req)
					return
				}
				if req.Header.Get("Expect") != "" {
					asked = append(asked, "417")
					w.WriteHeader(http.StatusExpectationFailed)
					return
				}
				text, _ := io.ReadAll(req.Body)
				asked = append(asked, string(text))
			})))
			r := echoed(t)
			r.Body = body
			result, err := caller.Call(t.Context(), r)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, result.Status)
			require.Equal(t, []string{"417", "{}"}, asked)
		})
	}
}

// TestAProtocolThatWasNotAskedFor is no answer.
func TestAProtocolThatWasNotAskedFor(t *testing.T) {
	caller, _, _, _ := captured(t)
	caller.HTTP = startedAt(t, httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/discovery" {
			return
		}
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
	})))
	_, err := caller.Call(t.Context(), request(t, http.MethodGet, "https://localhost:47157/apps/live1/app"))
	require.ErrorIs(t, err, ErrApp)
	require.EqualError(t, err, "localhost:47157 answered with status 101; nothing was paid")
}

// TestAnAppsOwnErrors are passed on as its answer, whatever they say: a refusal of the payment has
// the form in which the orchestrator writes its errors.
func TestAnAppsOwnErrors(t *testing.T) {
	const plain, document = "text/plain; charset=utf-8", "application/json"
	for name, c := range map[string]struct {
		status       int
		kind, body   string
		chunked, own bool
	}{
		"captured":           {status: 400, kind: plain, body: "invalid ticket senderNonce: already seen sender=0x23 nonce=5\n", own: true},
		"document":           {status: 403, kind: document, body: `{"error":{"message":"mismatched manifest and auth token"}}`, own: true},
		"full":               {status: 503, kind: document, body: `{"error":{"message":"no live runner capacity available"}}`, own: true},
		"page":               {status: 400, kind: "text/html", body: "<p>This ticket is sold out</p>\n"},
		"other document":     {status: 400, kind: document, body: `{"error":"payment details missing"}`},
		"document with more": {status: 403, kind: document, body: `{"error":{"message":"no payment method","type":"invalid_request"}}`},
		"lines":              {status: 400, kind: plain, body: "ticket 1: unknown\nticket 2: unknown\n"},
		"no line end":        {status: 403, kind: plain, body: "signature required"},
		"stream":             {status: 503, kind: plain, body: "busy\n", chunked: true},
		"other words":        {status: 400, kind: plain, body: "no such model\n"},
	} {
		t.Run(name, func(t *testing.T) {
			caller := answeredBy(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				if c.chunked {
					http.NewResponseController(w).Flush()
				}
				_, _ = io.WriteString(w, c.body)
			})
			var answered string
			caller.Answered = func(answer *http.Response) error {
				body, err := io.ReadAll(answer.Body)
				answered = string(body)
				return err
			}
			_, err := caller.Call(t.Context(), echoed(t))
			if !c.own {
				require.ErrorIs(t, err, ErrApp)
				require.Equal(t, c.body, answered)
				return
			}
			require.Empty(t, answered)
			require.NotErrorIs(t, err, ErrApp)
			if c.status == http.StatusServiceUnavailable {
				require.ErrorAs(t, err, new(*pay.UnknownOutcomeError))
			} else {
				require.ErrorAs(t, err, new(*pay.RefusedError))
			}
		})
	}
}

// TestASecondChallenge: the orchestrator answers the paid request as the one without a payment. The error
// says that, without the challenge.
func TestASecondChallenge(t *testing.T) {
	caller := answeredBy(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusPaymentRequired)
		_, _ = io.WriteString(w, `{"payment_params":"ChdodHRwczovL2xvY2FsaG9zdA==","manifest_id":"m"}`)
	})
	_, err := caller.Call(t.Context(), echoed(t))
	refused, ok := errors.AsType[*pay.RefusedError](err)
	require.True(t, ok, "%v", err)
	require.False(t, refused.TicketsTaken)
	require.ErrorContains(t, err, "asks for a payment again")
	require.NotContains(t, err.Error(), "payment_params")
}

// TestTheFirstByteIsPassedOn while the app holds back the rest, with any status.
func TestTheFirstByteIsPassedOn(t *testing.T) {
	for _, status := range []int{200, 400, 402, 403, 503} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			read := make(chan struct{})
			caller := answeredBy(t, func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "payment ")
				http.NewResponseController(w).Flush()
				select {
				case <-read:
					_, _ = io.WriteString(w, "ticket\n")
				case <-req.Context().Done():
				}
			})
			var rest []byte
			caller.Answered = func(answer *http.Response) error {
				first := make([]byte, len("payment "))
				_, err := io.ReadFull(answer.Body, first)
				require.NoError(t, err)
				close(read)
				rest, err = io.ReadAll(answer.Body)
				return err
			}
			_, err := caller.Call(t.Context(), echoed(t))
			if status != http.StatusOK {
				require.ErrorIs(t, err, ErrApp)
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, "ticket\n", string(rest))
		})
	}
}
