package call

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/remote/client"
	"github.com/pmctl/pmctl/wallet/runner"
	"github.com/pmctl/pmctl/wallet/store"
)

// replay answers as the deployed orchestrator and its signer did. Each request must be the captured
// one: its method, path, headers and body.
type replay struct {
	t    *testing.T
	all  map[string]capture
	seen []string

	// stripsPayer removes the payer's header, as a proxy may. losesAnswer drops the connection after
	// the next paid request.
	stripsPayer, losesAnswer bool
}

func (r *replay) answer(w http.ResponseWriter, name string) {
	r.seen = append(r.seen, name)
	c := r.all[name]
	require.NotZero(r.t, c.Response.Status, name)
	for field, value := range c.Response.Headers {
		w.Header().Set(field, value)
	}
	body := []byte(c.Response.Body)
	var binary struct{ Base64 []byte }
	var text string
	if json.Unmarshal(body, &binary) == nil && binary.Base64 != nil {
		body = binary.Base64
	} else if json.Unmarshal(body, &text) == nil {
		body = []byte(text)
	}
	w.WriteHeader(c.Response.Status)
	_, _ = w.Write(body)
}

// check compares a request with the captured one. An empty document is the same as no body.
func (r *replay) check(req *http.Request, name string) {
	captured := r.all[name].Request
	for _, field := range []string{payerHeader, wire.PaymentHeader, wire.SegmentHeader} {
		if field == payerHeader && (captured.Headers[wire.PaymentHeader] != "" || name == "live1: call") {
			continue // our client names the payer also where it is not asked for
		}
		assert.Equal(r.t, captured.Headers[field], req.Header.Get(field), "%s: %s", name, field)
	}
	body, err := io.ReadAll(req.Body)
	assert.NoError(r.t, err)
	empty := func(body []byte) bool { return slices.Contains([]string{"", "null", "{}"}, string(body)) }
	if empty(body) && empty(captured.Body) {
		return
	}
	assert.JSONEq(r.t, string(captured.Body), string(body), name)
}

// signed are the headers that the captured signer made for a request.
func (r *replay) signed(name string) map[string]string {
	var answer struct {
		Payment, SegCreds []byte
	}
	require.NoError(r.t, json.Unmarshal(r.all[name].Response.Body, &answer))
	encode := base64.StdEncoding.EncodeToString
	return map[string]string{wire.PaymentHeader: encode(answer.Payment), wire.SegmentHeader: encode(answer.SegCreds)}
}

// name is the capture that a request is; "" for none.
func (r *replay) name(req *http.Request) string {
	isPaid := req.Header.Get(wire.PaymentHeader) != ""
	app := func(unpaid string) string {
		switch {
		case isPaid:
			return unpaid + ": reserved with the payment"
		case req.Header.Get(payerHeader) == "":
			return unpaid + ": reserve without a payer"
		}
		return unpaid + ": challenge"
	}
	switch at := req.Method + " " + req.URL.RequestURI(); at {
	case "GET /discover-orchestrators":
		return "discover"
	case "POST /sign-orchestrator-info":
		return "sign"
	case "POST /generate-live-payment", "POST /refresh-payment":
		return r.byBody(req)
	case "POST /apps/fixed1/app/x":
		if name := "fixed1: reserved with the payment"; isPaid && slices.Contains(r.seen, name) {
			return "fixed1: the same payment again"
		}
		return app("fixed1")
	case "POST /apps/live1/session":
		return app("live1")
	case "POST /apps/lv1/session":
		return app("lv1")
	case "POST /apps/live1/session/1b37cb6b/app":
		return "live1: call"
	case "POST /apps/lv1/session/6a5ce404/payment":
		return "lv1: paid at payment_url"
	case "POST /apps/lv1/session/6a5ce404/stop", "POST /apps/live1/session/1b37cb6b/stop":
		return "lv1: stop"
	}
	return ""
}

func (r *replay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path == "/discovery" { // whose runners the signer's list has
		var listed []struct{ Runners json.RawMessage }
		assert.NoError(r.t, json.Unmarshal(r.all["discover"].Response.Body, &listed))
		_, _ = w.Write(listed[0].Runners)
		return
	}
	if r.stripsPayer {
		assert.Equal(r.t, r.all["fixed1: challenge"].Request.Headers[payerHeader], req.Header.Get(payerHeader))
		req.Header.Del(payerHeader)
	}
	name := r.name(req)
	if _, known := r.all[name]; !assert.True(r.t, known, "%s %s was not captured", req.Method, req.URL) {
		return
	}
	r.check(req, name)
	if r.losesAnswer && req.Header.Get(wire.PaymentHeader) != "" {
		r.losesAnswer = false
		r.seen = append(r.seen, name)
		panic(http.ErrAbortHandler)
	}
	r.answer(w, name)
}

// byBody is the name of the capture with a request's path and body.
func (r *replay) byBody(req *http.Request) string {
	body, err := io.ReadAll(req.Body)
	require.NoError(r.t, err)
	req.Body = io.NopCloser(bytes.NewReader(body))
	var got any
	require.NoError(r.t, json.Unmarshal(body, &got))
	for name, c := range r.all {
		var want any
		if strings.HasSuffix(c.Request.Path+c.Request.URL, req.URL.Path) && json.Unmarshal(c.Request.Body, &want) == nil && reflect.DeepEqual(want, got) {
			return name
		}
	}
	return ""
}

// lv1Reserved is the request whose payment the captured signer signed; its answer was not captured.
func lv1Reserved(r *replay) capture {
	var c capture
	c.Request.Headers = r.signed("lv1: signed")
	c.Response.Status = http.StatusOK
	c.Response.Body = json.RawMessage(`{"session_id":"6a5ce404","app_url":"https://localhost:47157/apps/lv1/session/6a5ce404/app","control_url":"https://localhost:47157/apps/lv1/session/6a5ce404"}`)
	return c
}

// captured is a caller of the captured orchestrator at the time of the captures.
func captured(t *testing.T) (*Caller, *Account, *replay, *Clock) {
	t.Helper()
	all, key := captures(t)
	at, err := time.Parse(time.RFC3339Nano, "2026-11-26T12:36:17.588140649Z")
	require.NoError(t, err)
	r, clock := &replay{t: t, all: all}, NewClock(at)
	all["lv1: reserved with the payment"] = lv1Reserved(r)
	account := newAccount(t, key, clock.Now, "")
	account.Payer.Limits.MaxTotalEV.SetInt64(1e15)
	account.Payer.Chain = &sure{hashes: roundsOf(t, all)}
	return &Caller{
		HTTP: servedAt(t, r), Purse: account, Now: clock.Now, After: clock.After,
		Answered: func(answer *http.Response) error { _, err := io.ReadAll(answer.Body); return err },
	}, account, r, clock
}

// roundsOf are the block hashes of the rounds that the challenges name.
func roundsOf(t *testing.T, all map[string]capture) map[int64][32]byte {
	hashes := make(map[int64][32]byte)
	for _, c := range all {
		var said struct {
			PaymentParams []byte `json:"payment_params"`
		}
		if json.Unmarshal(c.Response.Body, &said) != nil || said.PaymentParams == nil {
			continue
		}
		info := new(wire.OrchestratorInfo)
		require.NoError(t, proto.Unmarshal(said.PaymentParams, info))
		params, err := info.Params()
		require.NoError(t, err)
		hashes[params.ExpirationParams.CreationRound] = params.ExpirationParams.CreationRoundBlockHash
	}
	return hashes
}

func request(t *testing.T, method, url string) *Request {
	t.Helper()
	target, err := ParseTarget(url)
	require.NoError(t, err)
	return &Request{Target: target, Method: method}
}

// TestCaptures: every exchange with the deployed orchestrator and its signer that was captured is
// reproduced: our requests are the captured ones, and so is what we make of the answers.
func TestCaptures(t *testing.T) {
	reproduced := map[string]string{
		"discover, one capability": "all are asked for, as in discover: pmctl runner list filters them itself",
	}
	run := func(name string, test func(t *testing.T, caller *Caller, account *Account, r *replay, clock *Clock)) {
		t.Run(name, func(t *testing.T) {
			caller, account, r, clock := captured(t)
			test(t, caller, account, r, clock)
			for _, seen := range r.seen {
				reproduced[seen] = name
			}
		})
	}
	run("single call", capturedCall)
	run("lost answer", capturedAgain)
	run("seconds", capturedSeconds)
	run("pixels", capturedPixels)
	run("no payer", capturedWithoutPayer)
	run("session ended", capturedEnd)
	run("unpaid", capturedUnpaid)
	run("signer", capturedSigner)

	all, _ := captures(t)
	require.Len(t, all, 20)
	for name := range all {
		require.NotEmpty(t, reproduced[name], name)
	}
}

func echoed(t *testing.T) *Request {
	t.Helper()
	ask := request(t, http.MethodPost, "https://localhost:47157/apps/fixed1/app/x")
	ask.Body = BytesBody([]byte("{}"))
	return ask
}

// capturedCall pays the challenge with the bytes that the orchestrator accepted.
func capturedCall(t *testing.T, caller *Caller, _ *Account, r *replay, _ *Clock) {
	var answered string
	caller.Answered = func(answer *http.Response) error {
		body, err := io.ReadAll(answer.Body)
		answered = string(body)
		return err
	}
	result, err := caller.Call(t.Context(), echoed(t))
	require.NoError(t, err)
	require.JSONEq(t, `{"ok":1}`, answered)
	require.Equal(t, []string{"fixed1: challenge", "fixed1: reserved with the payment"}, r.seen)
	require.EqualValues(t, 5, result.Tickets)
	require.Equal(t, "500000000000", result.Fee.RatString())
	require.Equal(t, "echo/fixed", result.App)
}

// capturedAgain sends the same payment again after its answer was lost.
func capturedAgain(t *testing.T, caller *Caller, account *Account, r *replay, _ *Clock) {
	account.Request = &store.Request{ID: "job-17", Digest: echoed(t).Digest()}
	r.losesAnswer = true
	_, err := caller.Call(t.Context(), echoed(t))
	require.ErrorAs(t, err, new(*pay.UnknownOutcomeError))
	_, err = caller.Call(t.Context(), echoed(t))
	again, ok := errors.AsType[*pay.UnknownOutcomeError](err)
	require.True(t, ok, "%v", err)
	require.True(t, again.Again)
	require.ErrorIs(t, err, pm.ErrNonceReplayed)
	require.Equal(t, []string{"fixed1: challenge", "fixed1: reserved with the payment", "fixed1: the same payment again"}, r.seen)
}

// capturedSeconds opens a session that is paid by the second, and stops it.
func capturedSeconds(t *testing.T, caller *Caller, _ *Account, r *replay, clock *Clock) {
	go clock.Tick(t.Context(), 0) // the wait for the end comes first
	result, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/live1/session"), SessionOptions{For: time.Second})
	require.NoError(t, err)
	require.Equal(t, []string{"live1: challenge", "live1: reserved with the payment", "lv1: stop"}, r.seen)
	require.Equal(t, &Session{"1b37cb6b", "https://localhost:47157/apps/live1/session/1b37cb6b/app", "https://localhost:47157/apps/live1/session/1b37cb6b"}, result.Session)
	require.EqualValues(t, 10, result.Units)
	require.Equal(t, "4861111111110", result.Fee.RatString())
}

// capturedPixels opens a session that is paid by the pixel, refreshes its params, pays and stops it.
func capturedPixels(t *testing.T, caller *Caller, account *Account, r *replay, clock *Clock) {
	account.Payer.Limits.NonceCap = 84 // as many as the first payment needs, so that the next one needs fresh params
	result, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session"), SessionOptions{
		Run: func(ctx context.Context, _ Session) error {
			clock.Tick(ctx, betweenPayments)
			clock.Paid(ctx)
			return nil
		},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"lv1: challenge", "lv1: reserved with the payment", "lv1: refresh-payment", "lv1: paid at payment_url", "lv1: stop"}, r.seen)
	require.EqualValues(t, 89, result.Tickets)
	require.Equal(t, 2, result.Payments)
}

// betweenPayments is the time from one captured payment to the next.
const betweenPayments = 4_043_296_879 * time.Nanosecond

// capturedWithoutPayer names its payer to a proxy that does not pass that on.
func capturedWithoutPayer(t *testing.T, caller *Caller, _ *Account, r *replay, _ *Clock) {
	r.stripsPayer = true
	for _, path := range []string{"live1/session", "lv1/session", "fixed1/app/x"} {
		_, err := caller.Quote(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/"+path))
		require.ErrorIs(t, err, pay.ErrMalformed)
		require.ErrorContains(t, err, "invalid live runner payment signer address")
	}
	require.Equal(t, []string{"live1: reserve without a payer", "lv1: reserve without a payer", "fixed1: reserve without a payer"}, r.seen)
}

// capturedEnd finds that a session has ended when it needs fresh params, as it finds of one that
// the orchestrator never had.
func capturedEnd(t *testing.T, caller *Caller, account *Account, r *replay, clock *Clock) {
	account.Payer.Limits.NonceCap = 49 // as many as the first payment needs
	_, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/live1/session"), SessionOptions{
		Run: func(ctx context.Context, _ Session) error {
			clock.TickUntil(ctx.Done(), payEvery)
			return nil
		},
	})
	require.ErrorAs(t, err, new(*SessionLostError))
	require.ErrorContains(t, err, "fixed price not found for session")
	require.Equal(t, []string{"live1: challenge", "live1: reserved with the payment", "live1: refresh-payment", "lv1: stop"}, r.seen)

	due, _, err := caller.challenged(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session"))
	require.NoError(t, err)
	unknown := &held{Caller: caller, challenge: due.Challenge}
	unknown.challenge.ManifestID = "nope"
	_, err = unknown.refresh(t.Context())
	require.ErrorAs(t, err, new(*SessionLostError))
}

// capturedUnpaid calls what asks for no payment.
func capturedUnpaid(t *testing.T, caller *Caller, _ *Account, r *replay, _ *Clock) {
	ask := request(t, http.MethodPost, "https://localhost:47157/apps/live1/session/1b37cb6b/app")
	ask.Body = BytesBody([]byte(`{"x":1}`))
	result, err := caller.Call(t.Context(), ask)
	require.NoError(t, err)
	require.Equal(t, http.StatusTemporaryRedirect, result.Status)
	require.Zero(t, result.Payments)
	require.Equal(t, []string{"live1: call"}, r.seen)
}

// capturedSigner has a remote signer sign a session's payments.
func capturedSigner(t *testing.T, caller *Caller, _ *Account, r *replay, clock *Clock) {
	server := httptest.NewServer(r)
	defer server.Close()
	c, err := client.New(server.URL, "")
	require.NoError(t, err)
	listed, _, err := runner.Orchestrators(t.Context(), c)
	require.NoError(t, err)
	require.Len(t, listed, 1)
	require.Len(t, listed[0].Runners, 3)

	purse, err := NewRemoteSigner(t.Context(), c, Terms{}, nil, "", clock.Now)
	require.NoError(t, err)
	caller.Purse = purse
	paid := new(big.Rat)
	origin := request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session").Target.Origin
	pay := func(challenge string, before *Payment, with map[string]string) *Payment {
		next, err := readChallenge(r.all[challenge].Response.Body, origin, purse.Sender(), clock.Now())
		require.NoError(t, err)
		next.App, next.Type = "echo/lv1", live.PixelSeconds
		var session *live.Session
		number := 0
		if before != nil {
			session, number = before.Session, 1
		}
		due, err := caller.due(next, number, session, paid)
		require.NoError(t, err)
		p, err := purse.Pay(t.Context(), *due)
		require.NoError(t, err)
		paid.Add(paid, p.Paid)
		require.Equal(t, with[wire.PaymentHeader], p.Headers.Payment)
		require.Equal(t, with[wire.SegmentHeader], p.Headers.Segment)
		return p
	}
	first := pay("lv1: challenge", nil, r.signed("lv1: signed"))
	require.EqualValues(t, 84, first.Tickets)
	clock.end(make(chan time.Time, 1), betweenPayments)
	second := pay("lv1: refresh-payment", first, r.all["lv1: paid at payment_url"].Request.Headers)
	require.EqualValues(t, 5, second.Tickets)
	require.Equal(t, []string{"discover", "sign", "lv1: signed", "lv1: signed again with state"}, r.seen)
}
