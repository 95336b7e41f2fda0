package recipient_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
)

// exchange is a request to the deployed node, and its answer.
type exchange struct {
	Name    string
	Request struct {
		Method, URL string
		Headers     map[string]string
		Body        json.RawMessage
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
}

// challenge is the body of a challenge.
type challenge struct {
	Params       []byte `json:"payment_params"`
	Orchestrator string `json:"orchestrator"`
	ManifestID   string `json:"manifest_id"`
	PaymentURL   string `json:"payment_url"`
}

func decodeChallenge(t *testing.T, body string) (challenge, *wire.OrchestratorInfo) {
	t.Helper()
	var c challenge
	require.NoError(t, json.Unmarshal([]byte(body), &c), body)
	info := new(wire.OrchestratorInfo)
	require.NoError(t, proto.Unmarshal(c.Params, info))
	return c, info
}

// replay repeats what was captured against our recipient.
type replay struct {
	t      *testing.T
	p      *payer
	base   string
	sender string // the captured one

	// ids are our sessions by the captured ones, and infos the last offer of each, by ours.
	ids   map[string]string
	infos map[string]*wire.OrchestratorInfo
}

// ours writes captured ids, addresses and URLs as ours.
func (r *replay) ours(text string) string {
	text = strings.ReplaceAll(text, "https://localhost:47157", r.base)
	text = strings.ReplaceAll(text, r.sender, r.p.signer.Address().Hex())
	for captured, own := range r.ids {
		text = strings.ReplaceAll(text, captured, own)
	}
	return text
}

// headers are those of a captured request, paid by our payer with as many tickets.
func (r *replay) headers(captured map[string]string) http.Header {
	r.t.Helper()
	header := http.Header{}
	for name, value := range captured {
		header.Set(name, r.ours(value))
	}
	if captured[wire.PaymentHeader] == "" {
		return header
	}
	payment, err := wire.DecodePaymentHeader(captured[wire.PaymentHeader])
	require.NoError(r.t, err)
	segment, err := wire.DecodeSegmentHeader(captured[wire.SegmentHeader])
	require.NoError(r.t, err)
	id := r.ids[string(segment.ManifestId)]
	return r.p.signed(r.infos[id], r.p.payment(r.infos[id], 1, uint32(len(payment.TicketSenderParams))), id)
}

// offer requires that an offer is the captured one but for what depends on the node, its time
// and chance.
func (r *replay) offer(captured, got []byte) *wire.OrchestratorInfo {
	r.t.Helper()
	want, own := new(wire.OrchestratorInfo), new(wire.OrchestratorInfo)
	require.NoError(r.t, proto.Unmarshal(captured, want))
	require.NoError(r.t, proto.Unmarshal(got, own))
	require.Equal(r.t, want.Capabilities != nil, own.Capabilities != nil)
	require.Equal(r.t, want.TicketParams.ExpirationParams != nil, own.TicketParams.ExpirationParams != nil)
	want.Transcoder = r.ours(want.Transcoder)
	want.Address, want.Capabilities, want.TicketParams = own.Address, own.Capabilities, own.TicketParams
	if id, known := r.ids[want.AuthToken.SessionId]; known {
		require.Equal(r.t, id, own.AuthToken.SessionId, "the session stays the same")
	} else {
		r.ids[want.AuthToken.SessionId] = own.AuthToken.SessionId
	}
	want.AuthToken = own.AuthToken
	if own.Capabilities != nil {
		want.ProtoReflect().SetUnknown(own.ProtoReflect().GetUnknown())
	}
	require.True(r.t, proto.Equal(want, own), "%v\n%v", want, own)
	r.infos[own.AuthToken.SessionId] = own
	return own
}

// body requires that an answer's body is the captured one.
func (r *replay) body(captured json.RawMessage, got string) {
	r.t.Helper()
	var packed struct {
		Base64 []byte `json:"base64"`
		Params []byte `json:"payment_params"`
	}
	_ = json.Unmarshal(captured, &packed)
	var text string
	switch {
	case json.Unmarshal(captured, &text) == nil:
		require.Equal(r.t, r.ours(text), got)
		return
	case packed.Base64 != nil:
		want, own := new(wire.PaymentResult), new(wire.PaymentResult)
		require.NoError(r.t, proto.Unmarshal(packed.Base64, want))
		require.NoError(r.t, proto.Unmarshal([]byte(got), own))
		offered := func(result *wire.PaymentResult) []byte {
			info, err := proto.Marshal(result.Info)
			require.NoError(r.t, err)
			return info
		}
		r.offer(offered(want), offered(own))
		return
	}
	var compact bytes.Buffer
	require.NoError(r.t, json.Compact(&compact, captured))
	want := compact.String()
	if packed.Params != nil {
		own, _ := decodeChallenge(r.t, got)
		r.offer(packed.Params, own.Params)
		encode := base64.StdEncoding.EncodeToString
		want = strings.Replace(want, encode(packed.Params), encode(own.Params), 1)
	}
	require.Equal(r.t, r.ours(want), got)
}

// Every exchange of the deployed node that was captured is repeated: the statuses, the content
// types, and the bodies byte for byte, but for what depends on the node, its time and chance.
func TestCapturedRunners(t *testing.T) {
	data, err := os.ReadFile("testdata/runners.json")
	require.NoError(t, err)
	var captured struct {
		Signer struct{ Address string }
		Runner []exchange `json:"live_runner_and_discovery"`
	}
	require.NoError(t, json.Unmarshal(data, &captured))

	net, clock := runnerNetwork(t)
	p := net.newPayer(t).fund(ether, ether)
	base := net.State().Recipients[0].URL
	r := &replay{t, p, base, captured.Signer.Address, map[string]string{}, map[string]*wire.OrchestratorInfo{}}
	// before is what happened between the captured exchanges.
	before := map[string]func(){
		"live1: refresh-payment": func() { clock.advance(10 * time.Minute) }, // the session was not paid any more
		"lv1: refresh-payment": func() {
			id := r.ids["6a5ce404"]
			paid := p.send(http.MethodPost, base+"/apps/lv1/session", "", p.signed(r.infos[id], p.payment(r.infos[id], 1, 84), id))
			require.Equal(t, http.StatusOK, paid.status, paid.body)
		},
	}
	for _, c := range captured.Runner {
		if happened := before[c.Name]; happened != nil {
			happened()
		}
		if c.Name == "discover" { // the signer passes on what the node lists
			var listed []struct{ Runners json.RawMessage }
			require.NoError(t, json.Unmarshal(c.Response.Body, &listed))
			r.body(listed[0].Runners, p.send(http.MethodGet, base+"/discovery", "", nil).body)
			continue
		}
		u, err := url.Parse(c.Request.URL)
		require.NoError(t, err, c.Name)
		body := r.ours(string(c.Request.Body))
		if strings.HasPrefix(c.Name, "fixed1: reserved") {
			body = string(c.Response.Body) // its app answered this to anything, ours is an echo
			var compact bytes.Buffer
			require.NoError(t, json.Compact(&compact, []byte(body)))
			body = compact.String()
		}
		got := p.send(c.Request.Method, base+r.ours(u.Path), body, r.headers(c.Request.Headers))
		require.Equal(t, c.Response.Status, got.status, "%s: %s", c.Name, got.body)
		if want := c.Response.Headers["Content-Type"]; want != "" {
			require.Equal(t, want, got.header.Get("Content-Type"), c.Name)
		}
		r.body(c.Response.Body, got.body)
	}
	require.Equal(t, 16, len(captured.Runner))
	require.Len(t, r.ids, 3, "sessions that were captured")
}
