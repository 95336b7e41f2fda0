package remote_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/runner"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// asker changes a request that is good and sends it.
type asker struct {
	*world
	good   capture
	fields map[string]any
}

func newAsker(t *testing.T, w *world) *asker {
	t.Helper()
	list, _ := captured(t, "signer_errors_and_payments")
	a := &asker{world: w, good: named(t, list, "inPixels, no type")}
	require.NoError(t, json.Unmarshal(a.good.Request.Body, &a.fields))
	return a
}

// send sends the request with other fields, and headers.
func (a *asker) send(t *testing.T, fields, headers map[string]any) (*http.Response, []byte) {
	t.Helper()
	all := make(map[string]any)
	for _, some := range []map[string]any{a.fields, fields} {
		for name, value := range some {
			all[name] = value
		}
	}
	body, err := json.Marshal(all)
	require.NoError(t, err)
	c := a.good
	c.Request.Body, c.Request.Headers = body, headers
	return a.ask(t, c)
}

// refused fails unless the request is refused, and nothing is reserved or recorded for it.
func (a *asker) refused(t *testing.T, fields, headers map[string]any, status int, says string) {
	t.Helper()
	before := a.recorded(t)
	res, body := a.send(t, fields, headers)
	var answer struct{ Error struct{ Message string } }
	require.NoError(t, json.Unmarshal(body, &answer), string(body))
	require.Equal(t, status, res.StatusCode, answer.Error.Message)
	require.Contains(t, answer.Error.Message, says)
	require.Equal(t, before, a.recorded(t), "nothing was reserved or recorded")
}

// recorded is what the store has of payments and nonces.
func (a *asker) recorded(t *testing.T) string {
	t.Helper()
	payments, err := a.store.LiveUsage().After(t.Context(), 0, 1000)
	require.NoError(t, err)
	nonces, err := a.store.Chain(31337).UsedNonces(t.Context(), common.BytesToHash(a.offer(t).TicketParams.RecipientRandHash))
	require.NoError(t, err)
	return fmt.Sprintf("%d payments, %d nonces", len(payments), nonces)
}

func (a *asker) offer(t *testing.T) *wire.OrchestratorInfo {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(a.fields["orchestrator"].(string))
	require.NoError(t, err)
	info := new(wire.OrchestratorInfo)
	require.NoError(t, proto.Unmarshal(raw, info))
	return info
}

// TestLimitsRefuse: each limit refuses by itself, with its reason.
func TestLimitsRefuse(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	one := wei.FromUint64(1)
	for name, c := range map[string]struct {
		change func(*policy.Limits)
		says   string
	}{
		"ticket EV":          {func(l *policy.Limits) { l.MaxEV = big.NewRat(1, 1) }, "EV"},
		"total EV":           {func(l *policy.Limits) { l.MaxTotalEV = big.NewRat(1, 1) }, "EV"},
		"face value":         {func(l *policy.Limits) { l.MaxFaceValue = &one }, "face value"},
		"deposit multiplier": {func(l *policy.Limits) { l.DepositMultiplier = 1 << 30 }, "deposit"},
		"recipients":         {func(l *policy.Limits) { l.Recipients = []common.Address{{1}} }, "the ticket params pay 0x"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, key, 100, identity.None{}, nil, nil, func(p *remote.Payer) { c.change(&p.Plans.Limits) })
			newAsker(t, w).refused(t, nil, nil, http.StatusBadRequest, c.says)
		})
	}
	for _, budget := range []policy.Setting{policy.EVPerDay, policy.FaceValuePerDay, policy.RecipientEVPerDay, policy.RecipientFaceValuePerDay} {
		t.Run(string(budget), func(t *testing.T) {
			w := newWorld(t, key, 100, identity.None{}, nil, nil, func(p *remote.Payer) {
				limits, err := p.Plans.Limits.With(policy.Rules{
					Values: policy.Values{budget: policy.AmountOf(one)}, Where: func(s policy.Setting) string { return string(s) + " of the test" },
				})
				require.NoError(t, err)
				p.Plans.Limits = limits
			})
			newAsker(t, w).refused(t, nil, nil, http.StatusBadRequest, string(budget)+" of the test")
		})
	}
	t.Run("pinned recipient", func(t *testing.T) {
		a := newAsker(t, newWorld(t, key, 100, identity.None{}, nil, nil))
		at, err := pay.ParseServiceURI(a.offer(t).Transcoder)
		require.NoError(t, err)
		_, err = a.store.Chain(31337).PinRecipients(t.Context(), key.Address(), []store.Pin{{URL: at.String(), Recipient: common.Address{1}}}, nil)
		require.NoError(t, err)
		a.refused(t, nil, nil, http.StatusBadRequest, "now asks for payments to 0x")
	})
	t.Run("expired params", func(t *testing.T) {
		w := newWorld(t, key, 1<<40, identity.None{}, nil, nil)
		newAsker(t, w).refused(t, nil, nil, live.StatusRefresh, "refresh session")
	})
	t.Run("nonces used up", func(t *testing.T) {
		w := newWorld(t, key, 100, identity.None{}, nil, nil, func(p *remote.Payer) { p.Plans.Limits.NonceCap = 1 })
		a := newAsker(t, w)
		res, body := a.send(t, nil, nil)
		require.Equal(t, http.StatusOK, res.StatusCode, string(body))
		a.refused(t, nil, nil, live.StatusRefresh, "refresh session")
	})
	t.Run("more tickets than nonces", func(t *testing.T) { // which no other ticket params have either
		w := newWorld(t, key, 100, identity.None{}, nil, nil, func(p *remote.Payer) { p.Plans.Limits.NonceCap = 1 })
		newAsker(t, w).refused(t, map[string]any{"type": "lv2v"}, nil, http.StatusBadRequest, "tickets are more than the 1 that one set of ticket params allows")
	})
}

// TestMaxPrices: a ceiling of the request is exact about what it is of.
func TestMaxPrices(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	a := newAsker(t, newWorld(t, key, 100, identity.None{}, nil, nil))
	maximum := func(price any, currency, unit string) map[string]any {
		return map[string]any{"type": "live", "maxPrice": map[string]any{"price": price, "currency": currency, "unit": unit}}
	}
	for _, price := range []any{-1, 0, "", "many", "1e999999999", "0x10", nil, true, []int{1}} {
		a.refused(t, maximum(price, "wei", "seconds"), nil, http.StatusBadRequest, "positive decimal")
	}
	a.refused(t, maximum(1, "eth", "seconds"), nil, http.StatusBadRequest, "currency must be wei")
	a.refused(t, maximum(1, "wei", "hours"), nil, http.StatusBadRequest, "unit must be seconds")
	a.refused(t, maximum(1, "wei", "fixed"), nil, http.StatusBadRequest, "unit must be seconds")
	a.refused(t, maximum("0.5", "WEI", " Seconds "), nil, live.StatusPrice, "request maxPrice ceiling 0.500")
	a.refused(t, map[string]any{"type": "hourly"}, nil, http.StatusBadRequest, "invalid job type")
	a.refused(t, map[string]any{"inPixels": int64(1) << 60}, nil, http.StatusBadRequest, "exceeds maximum of 100")
}

// TestStatesOfOthers: a state must be signed by the key, be its client's and be the newest.
func TestStatesOfOthers(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	w := newWorld(t, key, 100, identity.Tokens{}, nil, nil)
	auth := func(name string) map[string]any {
		token := identity.Token()
		_, err := w.store.Clients().Add(t.Context(), store.Client{Name: name}, store.Credential{Kind: string(identity.KindToken), Value: identity.TokenHash(token)})
		require.NoError(t, err)
		return map[string]any{"Authorization": "Bearer " + token}
	}
	a, ann, bob := newAsker(t, w), auth("ann"), auth("bob")
	a.fields["inPixels"] = 3 * a.fields["inPixels"].(float64) // several tickets
	pay := func(fields map[string]any) live.State {
		res, body := a.send(t, fields, ann)
		require.Equal(t, http.StatusOK, res.StatusCode, string(body))
		var answer payment
		require.NoError(t, json.Unmarshal(body, &answer))
		return answer.State
	}
	states := []live.State{pay(nil)}
	info := a.offer(t)
	for i := range 3 {
		info.TicketParams.RecipientRandHash[0] ^= byte(i + 1)
		raw, err := proto.Marshal(info)
		require.NoError(t, err)
		states = append(states, pay(map[string]any{"state": states[i], "ManifestID": "m", "orchestrator": raw}))
	}
	newest := map[string]any{"state": states[3], "ManifestID": "m"}
	a.refused(t, newest, bob, http.StatusForbidden, "is not client")
	a.refused(t, map[string]any{"state": states[0], "ManifestID": "m", "orchestrator": a.fields["orchestrator"]}, ann, http.StatusBadRequest, "older than")
	a.refused(t, map[string]any{"state": states[3], "ManifestID": ""}, ann, http.StatusBadRequest, "missing manifestID")
	a.refused(t, map[string]any{"state": states[3], "ManifestID": "m", "app": "other"}, ann, http.StatusBadRequest, "app mismatch")

	var fields map[string]any
	require.NoError(t, json.Unmarshal(states[3].State, &fields))
	require.Len(t, fields, 13)
	for name, value := range fields {
		edited := make(map[string]any)
		for n, v := range fields {
			edited[n] = v
		}
		switch v := value.(type) {
		case string:
			edited[name] = v + "0"
		case float64:
			edited[name] = v + 1
		}
		raw, err := json.Marshal(edited)
		require.NoError(t, err)
		a.refused(t, map[string]any{"state": live.State{State: raw, Sig: states[3].Sig}, "ManifestID": "m"}, ann, http.StatusBadRequest, "invalid sig")
	}

	// Another key's, and one of this key's that is of no session here.
	other, err := signer.RawKey(bytes.Repeat([]byte("1"), 64))
	require.NoError(t, err)
	t.Cleanup(other.Close)
	session, err := live.DecodeSession(states[3].State)
	require.NoError(t, err)
	forged, err := session.Sign(t.Context(), other)
	require.NoError(t, err)
	a.refused(t, map[string]any{"state": forged, "ManifestID": "m"}, ann, http.StatusBadRequest, "invalid sig")
	session.StateID = "00112233445566778899aabbccddeeff"
	lost, err := session.Sign(t.Context(), key)
	require.NoError(t, err)
	a.refused(t, map[string]any{"state": lost, "ManifestID": "m"}, ann, http.StatusBadRequest, "no record of")

	// All that used up nothing.
	pay(newest)
}

// TestHeadersThatComeTwice: a proxy or an auth webhook may read another one than the signer.
func TestHeadersThatComeTwice(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	a := newAsker(t, newWorld(t, key, 100, identity.None{}, nil, nil))
	for _, name := range []string{"Authorization", "Idempotency-Key"} {
		a.refused(t, nil, map[string]any{name: []string{"Bearer a", "Bearer b"}}, http.StatusBadRequest, "the request has the header "+name+" 2 times")
	}
}

// TestCallersThatAreRefused: credentials that are unknown, and clients that have expired or were
// revoked.
func TestCallersThatAreRefused(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	trusted := identity.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	w := newWorld(t, key, 100, identity.Any{identity.Tokens{}, trusted}, nil, new(runner.Directory))
	a := newAsker(t, w)
	for name, c := range map[string]struct {
		client store.Client
		says   string
	}{
		"expired": {store.Client{Name: "expired", ExpiresAt: w.now.Add(-time.Second)}, "expired at"},
		"revoked": {store.Client{Name: "revoked", RevokedAt: w.now.Add(-time.Second)}, "was revoked"},
	} {
		token := identity.Token()
		_, err := w.store.Clients().Add(t.Context(), c.client, store.Credential{Kind: string(identity.KindToken), Value: identity.TokenHash(token)})
		require.NoError(t, err, name)
		a.refused(t, nil, map[string]any{"Authorization": "Bearer " + token}, http.StatusUnauthorized, c.says)
		for path, method := range map[string]string{"/sign-orchestrator-info": http.MethodPost, "/discover-orchestrators": http.MethodGet} {
			code, answer := w.usage(t, method, path, "Authorization: Bearer "+token, "")
			require.Equal(t, http.StatusUnauthorized, code, path)
			require.Contains(t, answer.Error.Message, c.says)
		}
	}
	a.refused(t, nil, map[string]any{"Authorization": "Bearer " + identity.Token()}, http.StatusUnauthorized, "no client has this token")
	a.refused(t, nil, map[string]any{"Authorization": "Basic YTpi"}, http.StatusUnauthorized, "no credentials")
	a.refused(t, nil, nil, http.StatusUnauthorized, "no credentials")
	a.refused(t, nil, map[string]any{"Signer-Auth-Id": "studio:me"}, http.StatusForbidden, "")

	local := newAsker(t, newWorld(t, key, 100, identity.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, nil, nil))
	_, err := local.store.Clients().Add(t.Context(), store.Client{Name: "ann"}, store.Credential{Kind: string(identity.KindProxy), Value: "ann"})
	require.NoError(t, err)
	local.refused(t, nil, map[string]any{"Signer-Auth-Id": "\xff:me"}, http.StatusUnauthorized, `no client has the auth ID "\xff"`)
	local.refused(t, nil, map[string]any{"Signer-Auth-Id": "ann:\xff"}, http.StatusBadRequest, "auth ID must be UTF-8")
}

// TestWebTokensThatAreRefused: a JSON Web Token of a client that is not acceptable signs nothing.
func TestWebTokensThatAreRefused(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	now := time.Date(2026, 11, 26, 12, 34, 20, 0, time.UTC)
	tokens, err := identity.JWT{
		Issuer: "https://issuer.example", Audience: "signer", Keys: []crypto.PublicKey{public}, Client: "sub", Now: func() time.Time { return now },
	}.Tokens(t.Context())
	require.NoError(t, err)
	w := newWorld(t, key, 100, identity.Any{identity.Tokens{}, tokens}, nil, nil)
	_, err = w.store.Clients().Add(t.Context(), store.Client{Name: "batch"}, store.Credential{Kind: string(identity.KindJWT), Value: "batch-1"})
	require.NoError(t, err)
	with := func(algorithm string, key ed25519.PrivateKey, change map[string]any) map[string]any {
		claims := map[string]any{"iss": "https://issuer.example", "aud": "signer", "sub": "batch-1", "exp": now.Add(time.Minute).Unix()}
		for name, value := range change {
			claims[name] = value
		}
		text, err := json.Marshal(claims)
		require.NoError(t, err)
		encode := base64.RawURLEncoding.EncodeToString
		token := encode([]byte(`{"alg":"`+algorithm+`"}`)) + "." + encode(text)
		if key != nil {
			token += "." + encode(ed25519.Sign(key, []byte(token)))
		} else {
			token += "."
		}
		return map[string]any{"Authorization": "Bearer " + token}
	}
	a := newAsker(t, w)
	for _, headers := range []map[string]any{
		with("none", nil, nil),
		with("EdDSA", nil, nil),
		with("EdDSA", stranger, nil),
		with("EdDSA", private, map[string]any{"aud": "other"}),
		with("EdDSA", private, map[string]any{"iss": "https://other.example"}),
		with("EdDSA", private, map[string]any{"nbf": now.Add(time.Minute).Unix()}),
		with("EdDSA", private, map[string]any{"exp": now.Add(-time.Second).Unix()}),
		with("EdDSA", private, map[string]any{"sub": "unknown"}),
	} {
		a.refused(t, nil, headers, http.StatusUnauthorized, "")
	}
	res, body := a.send(t, nil, with("EdDSA", private, nil))
	require.Equal(t, http.StatusOK, res.StatusCode, string(body))
}

// TestWebhooksThatFail: nothing is signed where the auth webhook gives no answer to go by.
func TestWebhooksThatFail(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	for name, answer := range map[string]http.HandlerFunc{
		"garbage": func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "\x00 no JSON") },
		"endless": func(rw http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := rw.Write(bytes.Repeat([]byte(" "), 1<<16)); err != nil {
					return
				}
			}
		},
		"redirects": func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/again", http.StatusFound) },
		"redirects to what allows": func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				http.Redirect(rw, r, "/health", http.StatusFound)
			}
			fmt.Fprint(rw, `{"status":200}`)
		},
		"continues":  func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{"status":100}`) },
		"switches":   func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{"status":101}`) },
		"no content": func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{"status":204}`) },
		"moved":      func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{"status":301}`) },
		"long ID":    func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintf(rw, `{"status":200,"auth_id":"%0600d"}`, 1) },
		"too much":   func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{"status":600}`) },
		"slow": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // or the client's end is not noticed
			<-r.Context().Done()
		},
		"hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			hook := httptest.NewServer(answer)
			defer hook.Close()
			client := &http.Client{}
			if name == "slow" {
				client.Timeout = 100 * time.Millisecond // and not five seconds
			}
			w := newWorld(t, key, 100, identity.None{}, &remote.Webhook{URL: hook.URL, Client: client}, nil)
			newAsker(t, w).refused(t, nil, nil, http.StatusInternalServerError, "Internal Server Error")
		})
	}
	t.Run("down", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, l.Close())
		w := newWorld(t, key, 100, identity.None{}, &remote.Webhook{URL: "http://" + l.Addr().String() + "/?token=s3cret"}, nil)
		newAsker(t, w).refused(t, nil, nil, http.StatusInternalServerError, "Internal Server Error")
		require.NotContains(t, w.log.String(), "s3cret")
	})
}

// TestAWebhookNamesTheCaller: a session that the auth webhook gave an auth ID is continued by its
// client, while the permission lasts and when it is asked again, whether it repeats the ID or not.
// A user of the client's cannot continue the session of another one.
func TestAWebhookNamesTheCaller(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	var w *world
	asked, answer := 0, ""
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprintf(rw, answer, w.now.Add(time.Minute).Unix())
	}))
	defer hook.Close()
	w = newWorld(t, key, 100, identity.Any{identity.Tokens{}, identity.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}, &remote.Webhook{URL: hook.URL}, nil)
	token := identity.Token()
	_, err := w.store.Clients().Add(t.Context(), store.Client{Name: "ann"},
		store.Credential{Kind: string(identity.KindToken), Value: identity.TokenHash(token)}, store.Credential{Kind: string(identity.KindProxy), Value: "ann"})
	require.NoError(t, err)
	a := newAsker(t, w)
	a.fields["inPixels"] = 3 * a.fields["inPixels"].(float64) // a ticket is due each time
	ann, user, other := map[string]any{"Authorization": "Bearer " + token}, map[string]any{"Signer-Auth-Id": "ann:1"}, map[string]any{"Signer-Auth-Id": "ann:2"}
	for _, caller := range []map[string]any{ann, user} {
		asked, answer = 0, `{"status":200,"auth_id":"tenant-7:ann","expiry":%d}`
		fields := map[string]any{"ManifestID": "m"}
		paid := func(asks int) {
			t.Helper()
			res, body := a.send(t, fields, caller)
			require.Equal(t, http.StatusOK, res.StatusCode, string(body), w.log.String())
			var answer payment
			require.NoError(t, json.Unmarshal(body, &answer))
			session, err := live.DecodeSession(answer.State.State)
			require.NoError(t, err)
			require.Equal(t, "tenant-7:ann", session.AuthID)
			require.Equal(t, asks, asked)
			fields["state"] = answer.State
		}
		paid(1)
		if caller["Authorization"] != nil {
			paid(1) // by the permission
			w.now = w.now.Add(2 * time.Minute)
		}
		paid(2)
		if caller["Authorization"] != nil {
			w.now = w.now.Add(2 * time.Minute)
			answer = `{"status":200,"expiry":%d}`
			paid(3)
			continue
		}
		answer = `{"status":200,"auth_id":"tenant-7:bob","expiry":%d}`
		a.refused(t, fields, other, http.StatusInternalServerError, "Internal Server Error")
		require.Contains(t, w.log.String(), "tenant-7:bob")
	}
}

// TestAClockThatWasSetBack: nothing is due until time has passed it again, and no payment is for
// the same time twice.
func TestAClockThatWasSetBack(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	w := newWorld(t, key, 100, identity.None{}, nil, nil)
	a := newAsker(t, w)
	res, body := a.send(t, map[string]any{"type": "lv2v", "inPixels": 0, "orchestrator": cheap(t, a)}, nil)
	require.Equal(t, http.StatusOK, res.StatusCode, string(body))
	var answer payment
	require.NoError(t, json.Unmarshal(body, &answer))
	w.now = w.now.Add(-time.Hour)
	next := map[string]any{"type": "lv2v", "inPixels": 0, "orchestrator": cheap(t, a), "state": answer.State, "ManifestID": "m"}
	a.refused(t, next, nil, live.StatusNoTickets, "no tickets")
	w.now = w.now.Add(time.Hour)
	a.refused(t, next, nil, live.StatusNoTickets, "no tickets")
}

// cheap is the offer at a price of which a minute costs less than a ticket.
func cheap(t *testing.T, a *asker) []byte {
	t.Helper()
	info := a.offer(t)
	info.PriceInfo.PricePerUnit, info.PriceInfo.PixelsPerUnit = 1, 1<<40
	raw, err := proto.Marshal(info)
	require.NoError(t, err)
	return raw
}

// TestAKeyThatWasUsed: an idempotency key stands for one request.
func TestAKeyThatWasUsed(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	a := newAsker(t, newWorld(t, key, 100, identity.None{}, nil, nil))
	header := map[string]any{"Idempotency-Key": "key"}
	response, body := a.send(t, nil, header)
	require.Equal(t, http.StatusOK, response.StatusCode, string(body))
	other := a.offer(t)
	other.PriceInfo.PricePerUnit++
	raw, err := proto.Marshal(other)
	require.NoError(t, err)
	a.refused(t, map[string]any{"orchestrator": raw}, header, http.StatusUnprocessableEntity, "already used with another OrchestratorInfo")
	a.refused(t, nil, map[string]any{"Idempotency-Key": "\xff"}, http.StatusBadRequest, "Idempotency-Key must be UTF-8")
}
