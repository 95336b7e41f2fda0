package recipient_test

import (
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/runners"
)

// challenged asks for a challenge.
func (p *payer) challenged(url string) (challenge, *wire.OrchestratorInfo) {
	p.t.Helper()
	got := p.send(http.MethodPost, url, "", p.asPayer())
	require.Equal(p.t, http.StatusPaymentRequired, got.status, got.body)
	return decodeChallenge(p.t, got.body)
}

// begun begins a session, paid with tickets.
func (p *payer) begun(url string, tickets uint32) (challenge, *wire.OrchestratorInfo) {
	p.t.Helper()
	c, info := p.challenged(url)
	got := p.send(http.MethodPost, url, "", p.signed(info, p.payment(info, 1, tickets), c.ManifestID))
	require.Equal(p.t, http.StatusOK, got.status, got.body)
	return c, info
}

// session is what the recipient counts of a session.
func session(t *testing.T, net *network, id string) runners.Session {
	t.Helper()
	for _, one := range status(t, net.State().Recipients[0].StatusURL).Sessions {
		if one.ID == id {
			return one
		}
	}
	t.Fatalf("the recipient counts no session %s", id)
	return runners.Session{}
}

// What the recipient counts as a session's balance is what the tickets are worth less what its
// units cost, exactly; a session ends at the first interval that this does not cover.
func TestASessionIsChargedExactly(t *testing.T) {
	for _, unit := range []struct {
		runner  string
		second  int64 // what one costs, in wei
		tickets uint32
	}{
		{"live1", 486111111111, 5},
		{"lv1", 5023 * 1280 * 720 * 30, 9},
	} {
		t.Run(unit.runner, func(t *testing.T) {
			net, clock := runnerNetwork(t)
			p := net.newPayer(t).fund(ether, ether)
			url := net.State().Recipients[0].URL + "/apps/" + unit.runner + "/session"
			c, info := p.begun(url, unit.tickets)
			params, err := info.Params()
			require.NoError(t, err)
			worth := new(big.Rat).Mul(params.EV(), new(big.Rat).SetInt64(int64(unit.tickets)))

			balanced := func(seconds int64) runners.Session {
				t.Helper()
				s := session(t, net, c.ManifestID)
				cost := new(big.Rat).SetInt(new(big.Int).Mul(big.NewInt(unit.second), big.NewInt(seconds)))
				require.Equal(t, worth.RatString(), s.Credit.RatString())
				require.Equal(t, cost.RatString(), s.Cost.RatString())
				require.Equal(t, new(big.Rat).Sub(worth, cost).RatString(), s.Balance.RatString())
				return s
			}
			require.Equal(t, runners.Open, balanced(0).State)
			clock.advance(4999 * time.Millisecond)
			balanced(0)
			clock.advance(time.Millisecond)
			balanced(5)

			fresh := p.send(http.MethodPost, c.PaymentURL, "", p.signed(info, p.payment(info, unit.tickets+1, 1), c.ManifestID))
			require.Equal(t, http.StatusOK, fresh.status, fresh.body)
			worth.Add(worth, params.EV())
			require.Equal(t, runners.Open, balanced(5).State)
			var result wire.PaymentResult
			require.NoError(t, proto.Unmarshal([]byte(fresh.body), &result))

			paid := new(big.Rat).Quo(worth, new(big.Rat).SetInt64(unit.second)) // seconds
			intervals := new(big.Int).Quo(paid.Num(), new(big.Int).Mul(paid.Denom(), big.NewInt(5))).Int64()
			clock.advance(time.Duration(intervals-1) * 5 * time.Second)
			require.Equal(t, runners.Open, balanced(intervals*5).State)
			clock.advance(5 * time.Second)
			require.Equal(t, runners.Unpaid, balanced(intervals*5+5).State)

			late := p.send(http.MethodPost, c.PaymentURL, "", p.signed(result.Info, p.payment(result.Info, 1, 1), c.ManifestID))
			require.Equal(t, http.StatusNotFound, late.status, late.body)
			require.Equal(t, http.StatusNotFound, p.send(http.MethodGet, url+"/"+c.ManifestID+"/app/", "", nil).status)
			clock.advance(time.Hour)
			balanced(intervals*5 + 5) // nothing more is charged
		})
	}
}

func TestASessionCanBeRefreshedAndStopped(t *testing.T) {
	net, _ := runnerNetwork(t)
	p, other := net.newPayer(t).fund(ether, ether), net.newPayer(t).fund(ether, ether)
	base := net.State().Recipients[0].URL
	c, _ := p.begun(base+"/apps/live1/session", 5)

	refresh := func(sender *payer) answer {
		body, err := json.Marshal(map[string]string{"sender": sender.signer.Address().Hex(), "manifest_id": c.ManifestID})
		require.NoError(t, err)
		return p.send(http.MethodPost, base+"/refresh-payment", string(body), nil)
	}
	require.Equal(t, http.StatusConflict, refresh(other).status, "the session is another sender's")
	got := refresh(p)
	require.Equal(t, http.StatusOK, got.status, got.body)
	again, info := decodeChallenge(t, got.body)
	require.Equal(t, c.ManifestID, again.ManifestID)
	p.accepted(info, p.payment(info, 1, 2)) // payment_url is the recipient's
	params, err := info.Params()
	require.NoError(t, err)
	seven := new(big.Rat).Mul(params.EV(), big.NewRat(7, 1))
	paid := session(t, net, c.ManifestID)
	require.Equal(t, seven.RatString(), paid.Credit.RatString(), "credited to the session")

	others, of := p.begun(base+"/apps/live1/session", 5)
	got = p.send(http.MethodPost, c.PaymentURL, "", p.signed(of, p.payment(of, 6, 1), others.ManifestID))
	require.Equal(t, answer{403, got.header, "mismatched session and payment manifest\n"}, got)

	app := p.send(http.MethodPut, base+"/apps/live1/session/"+c.ManifestID+"/app/x?y=1", "hello", nil)
	require.Equal(t, answer{200, app.header, "hello"}, app)
	control := p.send(http.MethodGet, base+"/apps/live1/session/"+c.ManifestID, "", nil)
	require.Equal(t, http.StatusOK, control.status)
	require.Contains(t, control.body, `"state":"open"`)

	stop := base + "/apps/live1/session/" + c.ManifestID + "/stop"
	require.Equal(t, http.StatusNoContent, p.send(http.MethodPost, stop, "", nil).status)
	require.Equal(t, http.StatusNotFound, p.send(http.MethodPost, stop, "", nil).status)
	require.Equal(t, runners.Stopped, session(t, net, c.ManifestID).State)
	require.Equal(t, http.StatusConflict, refresh(p).status)
}

func TestRunnersRefuse(t *testing.T) {
	net, _ := runnerNetwork(t)
	p := net.newPayer(t).fund(ether, ether)
	main := net.State().Recipients[0]
	live, fixed := main.URL+"/apps/live1/session", main.URL+"/apps/fixed1/app/x"
	credited := func() uint64 { return status(t, main.StatusURL).Tickets.Credited }

	for name, header := range map[string]http.Header{
		"no payer":    nil,
		"a bad payer": {runners.PayerHeader: {"0x12"}},
	} {
		for _, url := range []string{live, fixed} {
			got := p.send(http.MethodPost, url, "", header)
			require.Equal(t, http.StatusPaymentRequired, got.status, name)
			require.JSONEq(t, `{"error":{"message":"invalid live runner payment signer address"}}`, got.body)
		}
	}
	poor := net.newPayer(t)
	got := poor.send(http.MethodPost, live, "", poor.asPayer())
	require.Equal(t, answer{500, got.header, "insufficient sender reserve\n"}, got)

	for _, url := range []string{live, fixed} {
		c, info := p.challenged(url)
		got = p.send(http.MethodPost, url, "", http.Header{wire.PaymentHeader: {"%"}})
		require.Equal(t, http.StatusPaymentRequired, got.status, "not a payment")
		got = p.send(http.MethodPost, url, "", p.signed(info, p.payment(info, 1, 5), "another"))
		require.Equal(t, answer{403, got.header, "mismatched manifest and auth token\n"}, got)
		header := p.signed(info, p.payment(info, 1, 5), c.ManifestID)
		header.Set(wire.SegmentHeader, "AA==")
		require.Equal(t, http.StatusForbidden, p.send(http.MethodPost, url, "", header).status)
		spoiled := p.payment(info, 1, 5)
		spoiled.TicketSenderParams[0].Sig[3] ^= 1
		got = p.send(http.MethodPost, url, "", p.signed(info, spoiled, c.ManifestID))
		require.Equal(t, http.StatusBadRequest, got.status, got.body)
	}
	require.EqualValues(t, 0, credited())
	require.Empty(t, status(t, main.StatusURL).Sessions, "what was not paid is forgotten")

	t.Run("another price than the fixed one", func(t *testing.T) {
		c, info := p.challenged(fixed)
		net.control(t, "/recipients/0/runner?name=fixed1&price=500000000001", new(any))
		got := p.send(http.MethodPost, fixed, "", p.signed(info, p.payment(info, 1, 1), c.ManifestID))
		require.Equal(t, http.StatusBadRequest, got.status)
		require.Contains(t, got.body, "invalid expected price sent with payment")
		net.control(t, "/recipients/0/runner?name=fixed1&price=500000000000", new(any))
	})
	t.Run("too little for a fixed price", func(t *testing.T) {
		net.control(t, "/recipients/0/runner?name=fixed1&price=5000000000000", new(any))
		c, info := p.challenged(fixed)
		got := p.send(http.MethodPost, fixed, "", p.signed(info, p.payment(info, 1, 1), c.ManifestID))
		require.Equal(t, answer{400, got.header, "Insufficient balance\n"}, got)
		net.control(t, "/recipients/0/runner?name=fixed1&price=500000000000", new(any))
	})
	t.Run("full", func(t *testing.T) {
		net.control(t, "/recipients/0/runner?name=live1&capacity=1", new(any))
		c, _ := p.begun(live, 5)
		before := credited()
		second, info := p.challenged(live)
		got := p.send(http.MethodPost, live, "", p.signed(info, p.payment(info, 1, 5), second.ManifestID))
		require.Equal(t, http.StatusServiceUnavailable, got.status)
		require.Equal(t, before, credited(), "no ticket was taken")
		p.send(http.MethodPost, live+"/"+c.ManifestID+"/stop", "", nil)
		got = p.send(http.MethodPost, live, "", p.signed(info, p.payment(info, 1, 5), second.ManifestID))
		require.Equal(t, http.StatusOK, got.status, "there is room again")
	})
	t.Run("another mode", func(t *testing.T) {
		require.Equal(t, http.StatusBadRequest, p.send(http.MethodPost, main.URL+"/apps/fixed1/session", "", p.asPayer()).status)
		require.Equal(t, http.StatusBadRequest, p.send(http.MethodPost, main.URL+"/apps/live1/app/", "", p.asPayer()).status)
		require.Equal(t, http.StatusNotFound, p.send(http.MethodPost, main.URL+"/apps/none/session", "", p.asPayer()).status)
	})
	t.Run("an inactive recipient", func(t *testing.T) {
		c, info := p.challenged(fixed)
		net.control(t, "/recipients/0/active?on=false", new(any))
		got := p.send(http.MethodPost, fixed, "", p.signed(info, p.payment(info, 1, 1), c.ManifestID))
		require.Equal(t, http.StatusBadRequest, got.status)
		require.Contains(t, got.body, "is inactive in round")
		net.control(t, "/recipients/0/active?on=true", new(any))
		got = p.send(http.MethodPost, fixed, "", p.signed(info, p.payment(info, 2, 1), c.ManifestID))
		require.Equal(t, http.StatusOK, got.status, got.body)
	})
}

// A price that is raised holds for new sessions; a dishonest recipient offers it to open ones.
func TestARaisedPrice(t *testing.T) {
	net, _ := runnerNetwork(t)
	p := net.newPayer(t).fund(ether, ether)
	c, info := p.begun(net.State().Recipients[0].URL+"/apps/live1/session", 5)
	paid := func(first uint32) int64 {
		got := p.send(http.MethodPost, c.PaymentURL, "", p.signed(info, p.payment(info, first, 1), c.ManifestID))
		require.Equal(t, http.StatusOK, got.status, got.body)
		var result wire.PaymentResult
		require.NoError(t, proto.Unmarshal([]byte(got.body), &result))
		return result.Info.PriceInfo.PricePerUnit
	}
	net.control(t, "/recipients/0/runner?name=live1&price=600000000000", new(any))
	require.EqualValues(t, 486111111111, paid(6))
	net.control(t, "/recipients/0/runner?name=live1&sessions=true", new(any))
	require.EqualValues(t, 600000000000, paid(7))
	require.EqualValues(t, 486111111111, session(t, net, c.ManifestID).Price)
}

// A single-shot call is paid before its app answers, also when the app fails; its body comes back
// while it is still being sent.
func TestASingleShotCall(t *testing.T) {
	net, _ := runnerNetwork(t)
	p := net.newPayer(t).fund(ether, ether)
	main := net.State().Recipients[0]
	for _, base := range []string{main.URL, main.PlainURL} {
		url := base + "/apps/fixed1/app/echo"
		c, info := p.challenged(url)
		sent, body := io.Pipe()

		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, sent)
		require.NoError(t, err)
		req.Header = p.signed(info, p.payment(info, 1, 1), c.ManifestID)
		go func() { _, _ = io.WriteString(body, "one") }()
		res, err := p.http.Do(req)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, res.StatusCode)
		got := make([]byte, 3)
		_, err = io.ReadFull(res.Body, got)
		require.NoError(t, err)
		require.Equal(t, "one", string(got), "the request has not ended")
		require.Equal(t, runners.Open, session(t, net, c.ManifestID).State)
		require.Equal(t, http.StatusConflict, p.send(http.MethodPost, c.PaymentURL, "", req.Header).status)
		go func() {
			_, _ = io.WriteString(body, "two")
			_ = body.Close()
		}()
		rest, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, "two", string(rest))
		require.NoError(t, res.Body.Close())
		eventually(t, func() (any, bool) {
			s := session(t, net, c.ManifestID)
			return s, s.State == runners.Stopped && s.Units == 1
		})
	}
	url := main.URL + "/apps/fixed1/app"
	net.control(t, "/recipients/0/runner?name=fixed1&fail=503&delay=1ms", new(any))
	c, info := p.challenged(url + "/")
	got := p.send(http.MethodGet, url+"/", "", p.signed(info, p.payment(info, 1, 1), c.ManifestID))
	require.Equal(t, answer{503, got.header, "the app failed\n"}, got)
	require.EqualValues(t, 3, status(t, main.StatusURL).Tickets.Credited)
}

func TestRunnersAreChangedByControl(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	for call, want := range map[string]int{
		"name=live1&capacity=0": 200,
		"name=none":             404,
		"name=live1&price=0":    400,
		"name=live1&capacity=x": 400,
		"name=live1&fail=200":   400,
	} {
		res, err := http.Post(net.ControlURL()+"/recipients/0/runner?"+call, "", nil)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode, call)
	}
	res, err := http.Get(net.State().Recipients[0].PlainURL + "/discovery")
	require.NoError(t, err)
	defer res.Body.Close()
	var listed []struct {
		Capacity int `json:"capacity_available"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&listed))
	require.Len(t, listed, 3)
	require.Zero(t, listed[0].Capacity)
}
