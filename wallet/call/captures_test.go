package call

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
)

// replay answers as the deployed orchestrator did: with the runners that were listed, and with
// the captures of a method, a path and a payment. Each request must be the captured one.
type replay struct {
	t    *testing.T
	all  map[string]capture
	seen []string
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

// paid checks a request against the headers of a captured one.
func (r *replay) paid(req *http.Request, headers map[string]string) {
	assert.Equal(r.t, headers["Livepeer-Payment"], req.Header.Get("Livepeer-Payment"))
	assert.Equal(r.t, headers["Livepeer-Segment"], req.Header.Get("Livepeer-Segment"))
}

// signed are the headers that the captured signer made for a request.
func (r *replay) signed(name string) map[string]string {
	var answer struct {
		Payment, SegCreds []byte
	}
	require.NoError(r.t, json.Unmarshal(r.all[name].Response.Body, &answer))
	encode := base64.StdEncoding.EncodeToString
	return map[string]string{"Livepeer-Payment": encode(answer.Payment), "Livepeer-Segment": encode(answer.SegCreds)}
}

func (r *replay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	isPaid := req.Header.Get("Livepeer-Payment") != ""
	switch at := req.Method + " " + req.URL.Path; {
	case at == "GET /discovery":
		var listed []struct{ Runners json.RawMessage }
		require.NoError(r.t, json.Unmarshal(r.all["discover"].Response.Body, &listed))
		_, _ = w.Write(listed[0].Runners)
	case req.Header.Get("Livepeer-Payer-Address") == "" && !isPaid && at == "POST /apps/fixed1/app/x":
		r.answer(w, "fixed1: reserve without a payer")
	case at == "POST /apps/fixed1/app/x" && !isPaid:
		assert.Equal(r.t, r.all["fixed1: challenge"].Request.Headers["Livepeer-Payer-Address"], req.Header.Get("Livepeer-Payer-Address"))
		r.answer(w, "fixed1: challenge")
	case at == "POST /apps/fixed1/app/x":
		r.paid(req, r.all["fixed1: reserved with the payment"].Request.Headers)
		r.answer(w, "fixed1: reserved with the payment")
	case at == "POST /apps/live1/session" && !isPaid:
		r.answer(w, "live1: challenge")
	case at == "POST /apps/live1/session":
		r.paid(req, r.all["live1: reserved with the payment"].Request.Headers)
		r.answer(w, "live1: reserved with the payment")
	case at == "POST /apps/lv1/session" && !isPaid:
		r.answer(w, "lv1: challenge")
	case at == "POST /apps/lv1/session":
		r.paid(req, r.signed("lv1: signed"))
		r.seen = append(r.seen, "lv1: reserved")
		_, _ = io.WriteString(w, `{"session_id":"6a5ce404","app_url":"https://localhost:47157/apps/lv1/session/6a5ce404/app","control_url":"https://localhost:47157/apps/lv1/session/6a5ce404"}`)
	case at == "POST /refresh-payment":
		body, err := io.ReadAll(req.Body)
		require.NoError(r.t, err)
		assert.JSONEq(r.t, string(r.all["lv1: refresh-payment"].Request.Body), string(body))
		r.answer(w, "lv1: refresh-payment")
	case at == "POST /apps/lv1/session/6a5ce404/payment":
		r.paid(req, r.all["lv1: paid at payment_url"].Request.Headers)
		r.answer(w, "lv1: paid at payment_url")
	case at == "POST /apps/lv1/session/6a5ce404/stop", at == "POST /apps/live1/session/1b37cb6b/stop":
		r.answer(w, "lv1: stop")
	default:
		assert.Fail(r.t, "not captured: "+at)
	}
}

// captured is a caller of the captured orchestrator at the time of the captures.
func captured(t *testing.T) (*Caller, *Account, *replay, *Clock) {
	t.Helper()
	all, key := captures(t)
	at, err := time.Parse(time.RFC3339Nano, "2026-11-26T12:36:17.588140649Z")
	require.NoError(t, err)
	r, clock := &replay{t: t, all: all}, NewClock(at)
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

// TestCapturedSingleCall: the challenge of the deployed orchestrator is paid with the bytes that
// it accepted.
func TestCapturedSingleCall(t *testing.T) {
	caller, _, r, _ := captured(t)
	ask := request(t, http.MethodPost, "https://localhost:47157/apps/fixed1/app/x")
	ask.Body = BytesBody([]byte("{}"))
	var answered string
	caller.Answered = func(answer *http.Response) error {
		body, err := io.ReadAll(answer.Body)
		answered = string(body)
		return err
	}
	result, err := caller.Call(t.Context(), ask)
	require.NoError(t, err)
	require.JSONEq(t, `{"ok":1}`, answered)
	require.Equal(t, []string{"fixed1: challenge", "fixed1: reserved with the payment"}, r.seen)
	require.EqualValues(t, 5, result.Tickets)
	require.Equal(t, "500000000000", result.Fee.RatString())
	require.Equal(t, "echo/fixed", result.App)
}

// TestCapturedSessions: sessions by seconds and by pixels are begun, refreshed, paid and stopped
// with the captured bytes.
func TestCapturedSessions(t *testing.T) {
	t.Run("seconds", func(t *testing.T) {
		caller, _, r, clock := captured(t)
		go clock.Tick(0) // the wait for the end comes first
		result, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/live1/session"), SessionOptions{For: time.Second})
		require.NoError(t, err)
		require.Equal(t, []string{"live1: challenge", "live1: reserved with the payment", "lv1: stop"}, r.seen)
		require.Equal(t, &Session{"1b37cb6b", "https://localhost:47157/apps/live1/session/1b37cb6b/app", "https://localhost:47157/apps/live1/session/1b37cb6b"}, result.Session)
		require.EqualValues(t, 10, result.Units)
		require.Equal(t, "4861111111110", result.Fee.RatString())
	})
	t.Run("pixels", func(t *testing.T) {
		caller, account, r, clock := captured(t)
		account.Payer.Limits.NonceCap = 84 // as many as the first payment needs, so that the next one needs fresh params
		done := make(chan struct{})
		go func() {
			clock.Tick(4_043_296_879 * time.Nanosecond)
			clock.Paid()
			close(done)
		}()
		result, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session"), SessionOptions{
			Run: endsWith(done),
		})
		require.NoError(t, err)
		require.Equal(t, []string{"lv1: challenge", "lv1: reserved", "lv1: refresh-payment", "lv1: paid at payment_url", "lv1: stop"}, r.seen)
		require.EqualValues(t, 89, result.Tickets)
		require.Equal(t, 2, result.Payments)
	})
}
