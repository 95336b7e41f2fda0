package remote_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/runner"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// chainOfCaptures is what the chain of the captures said: an account with means, at a block
// at which params have expired or have not.
type chainOfCaptures struct{ block int64 }

func (c chainOfCaptures) Facts(context.Context, common.Address, ...pm.Counterparty) (pm.Facts, error) {
	return pm.Facts{
		LastSeenL1Block: big.NewInt(c.block), LastInitializedRound: big.NewInt(5), LastInitializedL1BlockHash: common.Hash{5},
		Sender: &pm.SenderInfo{
			Deposit: big.NewInt(1e18), WithdrawRound: new(big.Int),
			Reserve: &pm.ReserveInfo{FundsRemaining: big.NewInt(1e18), ClaimedInCurrentRound: new(big.Int)},
		},
	}, nil
}

type capture struct {
	Name    string
	Request struct {
		Method, Path string
		Headers      map[string]any
		Body         json.RawMessage
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
	State *live.Session `json:"-"`
}

type payment struct {
	Payment, SegCreds []byte
	State             live.State
}

// captured are the exchanges of a section, and the key that answered them.
func captured(t testing.TB, section string) ([]capture, signer.Source) {
	t.Helper()
	data, err := os.ReadFile("../live/testdata/captures.json")
	require.NoError(t, err)
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &all))
	var key struct {
		PrivateKey string `json:"private_key"`
	}
	require.NoError(t, json.Unmarshal(all["signer"], &key))
	raw, err := signer.RawKey([]byte(key.PrivateKey))
	require.NoError(t, err)
	t.Cleanup(raw.Close)
	var list []capture
	require.NoError(t, json.Unmarshal(all[section], &list))
	return list, raw
}

// burst is how many requests a client may send at once.
const burst = 100

// world is a signer over a store of its own.
type world struct {
	server *httptest.Server
	// handler is the server's, whose exchanges are not held to the description of the API.
	handler http.Handler
	config  remote.Config
	store   *store.Store
	rates   *remote.Rates
	now     time.Time
	log     bytes.Buffer
}

func newWorld(t testing.TB, key signer.Source, block int64, identify identity.Identifier, hook *remote.Webhook, directory remote.Directory, change ...func(*remote.Payer)) *world {
	t.Helper()
	return newWorldAt(t, filepath.Join(t.TempDir(), "store.db"), key, block, identify, hook, directory, change...)
}

// newWorldAt is newWorld over the store at a location.
func newWorldAt(t testing.TB, location string, key signer.Source, block int64, identify identity.Identifier, hook *remote.Webhook, directory remote.Directory, change ...func(*remote.Payer)) *world {
	t.Helper()
	s, err := store.Open(t.Context(), location)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	w := &world{store: s, now: time.Date(2026, 11, 26, 12, 34, 20, 0, time.UTC)}
	queue := s.Chain(31337).LivePayments(key.Address()).Queue()
	t.Cleanup(queue.Close)
	clock := func() time.Time { return w.now }
	payer := &remote.Payer{
		Key: key, Credentials: remote.Remember(key), Ledger: queue, Webhook: hook, Source: "test", Now: clock,
		Plans: &pay.Payer{Sender: key.Address(), Limits: policy.Default(), Chain: chainOfCaptures{block}, Now: clock},
	}
	for _, c := range change {
		c(payer)
	}
	w.rates = remote.NewRates(remote.Rate{PerSecond: 1, Burst: burst}, clock)
	w.config = remote.Config{
		Key: key, Payments: payer, Identify: identify, Clients: s.Clients(), Usage: s.LiveUsage(), Rates: w.rates, Directory: directory, Now: clock, Log: slog.New(slog.NewJSONHandler(&w.log, nil)),
	}
	signer, err := remote.New(t.Context(), w.config)
	require.NoError(t, err)
	w.handler = signer.Handler()
	w.server = httptest.NewServer(described(t, w.handler))
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) ask(t *testing.T, c capture) (*http.Response, []byte) {
	t.Helper()
	body := []byte(c.Request.Body)
	var text string
	if json.Unmarshal(body, &text) == nil {
		body = []byte(text) // what is no JSON is captured as text
	}
	r, err := http.NewRequest(c.Request.Method, w.server.URL+c.Request.Path, bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	for name, value := range c.Request.Headers {
		if several, ok := value.([]string); ok {
			r.Header[name] = several
			continue
		}
		r.Header.Set(name, fmt.Sprint(value))
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, answer
}

// onPurpose are the exchanges that end otherwise here, with the reason.
var onPurpose = map[string]struct {
	status  int
	message string
	why     string
}{
	"more than maxTotalEV": {http.StatusBadRequest, "the total EV of", "a limit is no fault of the signer's, and says what it is"},
}

// TestCaptures: what the deployed signer answered is answered here too, byte for byte where
// nothing random is in it.
func TestCaptures(t *testing.T) {
	list, key := captured(t, "signer_errors_and_payments")
	const block = 100 // of the deployed chain at the captures, before their params expire
	for _, c := range list {
		t.Run(c.Name, func(t *testing.T) {
			at := int64(block)
			if c.Name == "expired params" {
				at = 1 << 40
			}
			w := newWorld(t, key, at, identity.Any{identity.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, identity.None{}}, nil, new(runner.Directory))
			for _, name := range []string{"auth-1", "auth-2"} {
				_, err := w.store.Clients().Add(t.Context(), store.Client{Name: name}, store.Credential{Kind: string(identity.KindProxy), Value: name})
				require.NoError(t, err)
			}
			var want payment
			if c.Response.Status == http.StatusOK && json.Unmarshal(c.Response.Body, &want) == nil && len(want.Payment) > 0 {
				session, err := live.DecodeSession(want.State.State)
				require.NoError(t, err)
				w.now = session.LastUpdate
			}
			res, answer := w.ask(t, c)
			if other, ok := onPurpose[c.Name]; ok {
				require.Equal(t, other.status, res.StatusCode, string(answer))
				require.Contains(t, string(answer), other.message)
				return
			}
			require.Equal(t, c.Response.Status, res.StatusCode, string(answer))
			for name, value := range c.Response.Headers {
				require.Equal(t, value, res.Header.Get(name))
			}
			var text string
			switch {
			case len(want.Payment) > 0:
				var got payment
				require.NoError(t, json.Unmarshal(answer, &got))
				require.Equal(t, want.Payment, got.Payment)
				if c.Name != "lv2v without ManifestID" {
					require.Equal(t, want.SegCreds, got.SegCreds)
				}
			case json.Unmarshal(c.Response.Body, &text) == nil:
				require.Equal(t, text, string(answer))
			default:
				require.JSONEq(t, string(c.Response.Body), string(answer))
				require.True(t, strings.HasSuffix(string(answer), "}\n"))
			}
		})
	}
}

// TestCapturedWebhooks: an auth webhook is asked what the deployed signer asks it, and decides.
func TestCapturedWebhooks(t *testing.T) {
	list, key := captured(t, "auth_webhook")
	answers := map[string]func(http.ResponseWriter){
		"webhook allows":                func(rw http.ResponseWriter) { fmt.Fprint(rw, `{"status":200}`) },
		"webhook denies":                func(rw http.ResponseWriter) { fmt.Fprint(rw, `{"status":403,"reason":"denied"}`) },
		"webhook denies without reason": func(rw http.ResponseWriter) { fmt.Fprint(rw, `{"status":429}`) },
		"webhook HTTP 500":              func(rw http.ResponseWriter) { rw.WriteHeader(http.StatusInternalServerError) },
		"webhook without status":        func(rw http.ResponseWriter) { fmt.Fprint(rw, `{}`) },
		"webhook maxPrice too low": func(rw http.ResponseWriter) {
			fmt.Fprint(rw, `{"status":200,"maxPrice":{"price":1,"currency":"wei","unit":"seconds"}}`)
		},
		"webhook maxPrice malformed": func(rw http.ResponseWriter) {
			fmt.Fprint(rw, `{"status":200,"maxPrice":{"price":0,"currency":"wei","unit":"seconds"}}`)
		},
	}
	for _, c := range list {
		answer, ok := answers[c.Name]
		if !ok {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			var asked []byte
			hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				asked, _ = io.ReadAll(r.Body)
				require.Equal(t, "Bearer s3cret", r.Header.Get("Authorization"))
				answer(rw)
			}))
			defer hook.Close()
			webhook := &remote.Webhook{URL: hook.URL + "/authorize?secret=1", Headers: http.Header{"Authorization": {"Bearer s3cret"}}}
			w := newWorld(t, key, 100, identity.None{}, webhook, nil)
			res, body := w.ask(t, c)
			require.Equal(t, c.Response.Status, res.StatusCode, string(body))
			var document struct {
				Headers http.Header
				State   json.RawMessage
			}
			require.NoError(t, json.Unmarshal(asked, &document))
			session, err := live.DecodeSession(document.State)
			require.NoError(t, err)
			require.Equal(t, []string{"application/json"}, document.Headers["Content-Type"])
			require.NotEmpty(t, session.StateID, "the session has its name already")
			if res.StatusCode == http.StatusOK {
				var paid struct{ State live.State }
				require.NoError(t, json.Unmarshal(body, &paid))
				require.JSONEq(t, string(paid.State.State), string(document.State))
			} else {
				require.JSONEq(t, string(c.Response.Body), string(body))
				used, err := w.store.Chain(31337).UsedNonces(t.Context(), session.PMSessionID)
				require.NoError(t, err)
				require.Zero(t, used, "nothing was reserved")
			}
			require.NotContains(t, w.log.String(), "secret")
			require.NotContains(t, w.log.String(), "s3cret")
		})
	}
}

// TestCapturedMaximum: a price above the signer's own maximum is refused in the deployed signer's
// words, and so is a type of payment for which there is no maximum.
func TestCapturedMaximum(t *testing.T) {
	list, key := captured(t, "configured_max_price")
	for unit, status := range map[string]int{"seconds": live.StatusPrice, "fixed": http.StatusForbidden} {
		w := newWorld(t, key, 100, identity.None{}, nil, nil, func(p *remote.Payer) { p.MaxPrices = live.MaxPrices{unit: big.NewRat(1, 1)} })
		res, body := w.ask(t, list[0])
		require.Equal(t, status, res.StatusCode, string(body))
		if status == live.StatusPrice {
			require.JSONEq(t, string(list[0].Response.Body), string(body))
		} else {
			require.Contains(t, string(body), "no configured maximum price is set for seconds")
		}
		newAsker(t, w).refused(t, map[string]any{"type": "hourly"}, nil, http.StatusBadRequest, "invalid job type")
	}
}

// TestCapturedDiscovery: an orchestrator that lists the runners of the captures is listed as by
// the deployed signer. It has a certificate that it signed itself.
func TestCapturedDiscovery(t *testing.T) {
	list, key := captured(t, "live_runner_and_discovery")
	var runners json.RawMessage
	orchestrator := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/discovery" {
			http.NotFound(rw, r)
			return
		}
		_, _ = rw.Write(runners)
	}))
	defer orchestrator.Close()
	u, err := pay.ParseURL(orchestrator.URL)
	require.NoError(t, err)
	asker := runner.Asker{Offers: &pay.Client{}, Runners: runner.Client{HTTP: pay.HTTPClient()}}
	directory := &runner.Directory{
		Candidates: func(context.Context) ([]runner.Candidate, error) { return []runner.Candidate{{URL: u, Score: 1}}, nil },
		Ask:        asker.Ask,
	}
	w := newWorld(t, key, 100, identity.None{}, nil, directory)
	asked := 0
	for _, c := range list {
		if !strings.HasPrefix(c.Request.Path, "/discover-orchestrators") {
			continue
		}
		var want []map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(c.Response.Body, &want))
		runners = want[0]["runners"]
		require.NoError(t, directory.Refresh(t.Context()))
		res, body := w.ask(t, c)
		require.Equal(t, c.Response.Status, res.StatusCode, string(body))
		require.Equal(t, c.Response.Headers["Content-Type"], res.Header.Get("Content-Type"))
		require.Equal(t, "0", res.Header.Get("Age"))
		require.JSONEq(t, strings.ReplaceAll(string(c.Response.Body), `"https://localhost:47157"`, `"`+orchestrator.URL+`"`), string(body))
		asked++
	}
	require.Equal(t, 2, asked)
	none := list[0]
	none.Request.Path = "/discover-orchestrators?caps=nothing"
	res, body := w.ask(t, none)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "[]\n", string(body))
}

// TestTheSameStateTwice: a retry after a lost answer gets the same bytes, and signs nothing new.
func TestTheSameStateTwice(t *testing.T) {
	list, key := captured(t, "signer_errors_and_payments")
	byName := make(map[string]capture)
	for _, c := range list {
		byName[c.Name] = c
	}
	var payer *remote.Payer
	w := newWorld(t, key, 100, identity.None{}, nil, nil, func(p *remote.Payer) { payer = p })
	pay := func(c capture, want int) []byte {
		t.Helper()
		res, body := w.ask(t, c)
		require.Equal(t, want, res.StatusCode, string(body))
		return body
	}
	first := byName["inPixels, no type"]
	begun := pay(first, http.StatusOK)
	var answer payment
	require.NoError(t, json.Unmarshal(begun, &answer))
	withState := func(state live.State) capture {
		var body map[string]any
		require.NoError(t, json.Unmarshal(first.Request.Body, &body))
		body["state"], body["ManifestID"] = state, "m"
		raw, err := json.Marshal(body)
		require.NoError(t, err)
		next := first
		next.Request.Body = raw
		return next
	}
	second := pay(withState(answer.State), http.StatusOK)
	for range 10 {
		w.now = w.now.Add(time.Hour) // by which time the auth token has expired
		require.Equal(t, string(second), string(pay(withState(answer.State), http.StatusOK)))
	}
	payer.MaxPrices = live.MaxPrices{"seconds": big.NewRat(1, 1)} // of another unit, as a signer that was started anew may have it
	require.Equal(t, string(second), string(pay(withState(answer.State), http.StatusOK)))
	var next payment
	require.NoError(t, json.Unmarshal(second, &next))
	require.NotEqual(t, answer.Payment, next.Payment)
	session, err := live.DecodeSession(next.State.State)
	require.NoError(t, err)
	used, err := w.store.Chain(31337).UsedNonces(t.Context(), session.PMSessionID)
	require.NoError(t, err)
	require.Equal(t, session.SenderNonce, used)

	// A state edited in any byte is no state.
	for i := range answer.State.State {
		edited := live.State{State: bytes.Clone(answer.State.State), Sig: answer.State.Sig}
		edited.State[i] ^= 1
		if i%7 == 0 {
			pay(withState(edited), http.StatusBadRequest)
		}
	}
}

// TestBadRequests: each has its status and says why, and nothing is reserved or recorded for it.
func TestBadRequests(t *testing.T) {
	list, key := captured(t, "signer_errors_and_payments")
	var good capture
	for _, c := range list {
		if c.Name == "inPixels, no type" {
			good = c
		}
	}
	var asked map[string]any
	require.NoError(t, json.Unmarshal(good.Request.Body, &asked))
	but := func(name string, value any) string {
		changed := map[string]any{name: value}
		for k, v := range asked {
			if k != name {
				changed[k] = v
			}
		}
		body, err := json.Marshal(changed)
		require.NoError(t, err)
		return string(body)
	}
	offer := func(change func(*wire.OrchestratorInfo)) string {
		raw, err := base64.StdEncoding.DecodeString(asked["orchestrator"].(string))
		require.NoError(t, err)
		info := new(wire.OrchestratorInfo)
		require.NoError(t, proto.Unmarshal(raw, info))
		change(info)
		raw, err = proto.Marshal(info)
		require.NoError(t, err)
		return but("orchestrator", raw)
	}
	whole := string(good.Request.Body)
	for name, c := range map[string]struct {
		body, kind string
		status     int
		says       string
	}{
		"data behind the document":             {whole + "{}", "", 400, "there is data after the JSON document"},
		"another content type":                 {whole, "text/plain", 415, "the body must be application/json"},
		"two mebibytes":                        {but("App", strings.Repeat("x", 2<<20)), "", 413, "larger than 1048576 bytes"},
		"no protobuf":                          {but("orchestrator", []byte("\x00")), "", 400, "orchestrator: "},
		"a wrong type":                         {but("inPixels", "many"), "", 400, "cannot unmarshal string"},
		"negative units":                       {but("inPixels", -1), "", 400, "missing billable unit"},
		"capabilities":                         {but("capabilities", []byte("\x00")), "", 400, "capabilities: "},
		"a long app":                           {but("App", strings.Repeat("x", 600)), "", 400, "app has 600 bytes, and may have at most 512"},
		"a NUL character":                      {but("ManifestID", "a\x00b"), "", 400, "ManifestID must be UTF-8 without NUL"},
		"large capabilities":                   {but("capabilities", append([]byte{0x3a, 0x80, 0x80, 0x02}, make([]byte, 1<<15)...)), "", 400, "capabilities has 32772 bytes"},
		"capabilities too large to be decoded": {but("capabilities", make([]byte, 1<<15)), "", 400, "capabilities has 32768 bytes"},
		"a long URL":                           {offer(func(i *wire.OrchestratorInfo) { i.Transcoder += strings.Repeat("x", 600) }), "", 400, "OrchestratorInfo.transcoder has"},
		"no price":                             {offer(func(i *wire.OrchestratorInfo) { i.PriceInfo = nil }), "", 400, "missing or zero priceInfo"},
		"price 0":                              {offer(func(i *wire.OrchestratorInfo) { i.PriceInfo.PricePerUnit = 0 }), "", 400, "missing or zero priceInfo"},
		"a negative price":                     {offer(func(i *wire.OrchestratorInfo) { i.PriceInfo.PricePerUnit = -1 }), "", 400, "missing or zero priceInfo"},
		"no params":                            {offer(func(i *wire.OrchestratorInfo) { i.TicketParams = nil }), "", 400, "missing ticketParams"},
		"no auth token":                        {offer(func(i *wire.OrchestratorInfo) { i.AuthToken = nil }), "", 400, "missing auth token"},
		"an expired auth token":                {offer(func(i *wire.OrchestratorInfo) { i.AuthToken.Expiration = 1 }), "", 480, "refresh session"},
		"a recipient of 3 bytes":               {offer(func(i *wire.OrchestratorInfo) { i.TicketParams.Recipient = []byte{1, 2, 3} }), "", 400, "recipient"},
		"a ticket EV too high":                 {offer(func(i *wire.OrchestratorInfo) { i.TicketParams.WinProb = bytes.Repeat([]byte{0xff}, 32) }), "", 400, "ticket"},
		"a wrong unit": {
			but("maxPrice", map[string]any{"price": 1, "currency": "wei", "unit": "hours"}), "", 400, "maxPrice requires payment type",
		},
		"no state of anyone's": {but("state", map[string]any{"State": []byte("{}"), "Sig": bytes.Repeat([]byte{1}, 65)}), "", 400, "invalid sig"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, key, 100, identity.None{}, nil, nil)
			request, err := http.NewRequest(http.MethodPost, w.server.URL+"/generate-live-payment", strings.NewReader(c.body))
			require.NoError(t, err)
			request.Header.Set("Content-Type", cmp.Or(c.kind, "application/json; charset=utf-8"))
			response, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			defer response.Body.Close()
			var answer struct{ Error struct{ Message string } }
			require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
			require.Equal(t, c.status, response.StatusCode, answer.Error.Message)
			require.Contains(t, answer.Error.Message, c.says)
			recorded, err := w.store.LiveUsage().After(t.Context(), 0, 10)
			require.NoError(t, err)
			require.Empty(t, recorded)
		})
	}
}

// TestRates: the answer to a client that asks too often says when to ask again.
func TestRates(t *testing.T) {
	list, key := captured(t, "signer_errors_and_payments")
	w := newWorld(t, key, 100, identity.None{}, nil, nil)
	var last *http.Response
	for range burst + 1 {
		last, _ = w.ask(t, list[0])
	}
	require.Equal(t, http.StatusTooManyRequests, last.StatusCode)
	require.Equal(t, "1", last.Header.Get("Retry-After"))
	w.now = w.now.Add(time.Second)
	last, _ = w.ask(t, list[0])
	require.Equal(t, http.StatusOK, last.StatusCode)
}
