package remote_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/runner"
	"github.com/pmctl/pmctl/wallet/store"
)

// usageAnswer is what a client gets of its usage, or why it gets nothing.
type usageAnswer struct {
	Events []struct{ ID, Subject string }

	Next, Acknowledged string
	Error              struct{ Message string }
}

func (w *world) usage(t *testing.T, method, path, auth, body string) (int, usageAnswer) {
	t.Helper()
	r, err := http.NewRequest(method, w.server.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	if name, value, found := strings.Cut(auth, ": "); found {
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	var answer usageAnswer
	require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
	return res.StatusCode, answer
}

// A client lists and acknowledges its own payments, and those of no other.
func TestClientsListTheirUsage(t *testing.T) {
	list, key := captured(t, "signer_errors_and_payments")
	good := named(t, list, "inPixels, no type")
	proxies := identity.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	w := newWorld(t, key, 100, identity.Any{identity.Tokens{}, proxies, identity.None{}}, nil, new(runner.Directory))
	auth := make(map[string]string)
	for _, name := range []string{"ann", "bob"} {
		token := identity.Token()
		auth[name] = "Authorization: Bearer " + token
		_, err := w.store.Clients().Add(t.Context(), store.Client{Name: name},
			store.Credential{Kind: string(identity.KindToken), Value: identity.TokenHash(token)}, store.Credential{Kind: string(identity.KindProxy), Value: name})
		require.NoError(t, err)
	}
	for _, name := range []string{"ann", "bob", "ann", "", "ann"} {
		good.Request.Headers = nil
		if name != "" {
			good.Request.Headers = map[string]any{"Authorization": strings.TrimPrefix(auth[name], "Authorization: ")}
		}
		res, body := w.ask(t, good)
		require.Equal(t, http.StatusOK, res.StatusCode, string(body))
	}
	ids := func(query string) (ids []string, next string) {
		t.Helper()
		code, answer := w.usage(t, http.MethodGet, "/v1/usage"+query, auth["ann"], "")
		require.Equal(t, http.StatusOK, code, answer.Error.Message)
		for _, event := range answer.Events {
			require.Equal(t, "ann", event.Subject)
			ids = append(ids, event.ID)
		}
		return ids, answer.Next
	}
	all, next := ids("")
	require.Equal(t, []string{"1", "3", "5"}, all)
	require.Equal(t, "5", next)
	some, next := ids("?limit=2")
	require.Equal(t, []string{"1", "3"}, some)
	rest, last := ids("?after=" + next)
	require.Equal(t, []string{"5"}, rest)
	none, same := ids("?after=" + last)
	require.Empty(t, none)
	require.Equal(t, last, same)

	code, answer := w.usage(t, http.MethodPost, "/v1/usage/ack", auth["ann"], `{"id":"3"}`)
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "3", answer.Acknowledged)
	_, answer = w.usage(t, http.MethodPost, "/v1/usage/ack", auth["ann"], `{"id":"1"}`)
	require.Equal(t, "3", answer.Acknowledged, "nothing is taken back")
	rest, _ = ids("")
	require.Equal(t, []string{"5"}, rest, "it begins after what is acknowledged")
	all, _ = ids("?after=0")
	require.Len(t, all, 3)

	for name, c := range map[string]struct {
		method, path, auth, body string
		status                   int
		says                     string
	}{
		"no credentials":          {"GET", "/v1/usage", "", "", 401, identity.ErrNoCredentials.Error()},
		"an unknown token":        {"GET", "/v1/usage", "Authorization: Bearer " + identity.Token(), "", 401, "no client has this token"},
		"a user of the client":    {"GET", "/v1/usage", "Signer-Auth-Id: ann:u1", "", 403, "usage is for the client itself"},
		"a user acknowledges":     {"POST", "/v1/usage/ack", "Signer-Auth-Id: ann:u1", `{"id":"5"}`, 403, "usage is for the client itself"},
		"beyond the last payment": {"POST", "/v1/usage/ack", auth["bob"], `{"id":"3"}`, 400, `id "3" is after the client's last event`},
		"no ID":                   {"POST", "/v1/usage/ack", auth["bob"], `{}`, 400, `id "" is not the ID of an event`},
		"not JSON":                {"POST", "/v1/usage/ack", auth["bob"], `id=1`, 400, "invalid character"},
		"more than there is room": {"POST", "/v1/usage/ack", auth["bob"], `{"id":"` + strings.Repeat("1", 2<<20) + `"}`, 413, "larger than"},
		"no number":               {"GET", "/v1/usage?after=x", auth["bob"], "", 400, `after "x" is not the ID of an event`},
		"a negative number":       {"GET", "/v1/usage?after=-1", auth["bob"], "", 400, `after "-1" is not the ID of an event`},
		"a limit of 0":            {"GET", "/v1/usage?limit=0", auth["bob"], "", 400, `limit "0" is not a number from 1 to 1000`},
		"a limit of 1001":         {"GET", "/v1/usage?limit=1001", auth["bob"], "", 400, `limit "1001" is not a number from 1 to 1000`},
		"a semicolon":             {"GET", "/v1/usage?limit=1;after=2", auth["bob"], "", 400, "the query after ? is not valid: invalid semicolon"},
		"an escape cut off":       {"GET", "/v1/usage?after=%2", auth["bob"], "", 400, "the query after ? is not valid: invalid URL escape"},
		"after twice":             {"GET", "/v1/usage?after=0&after=2", auth["bob"], "", 400, `the query has "after" 2 times`},
		"a list of orchestrators": {"GET", "/discover-orchestrators?caps=a;caps=b", auth["bob"], "", 400, "the query after ? is not valid: invalid semicolon"},
		"after the last payment":  {"GET", "/v1/usage?after=3", auth["bob"], "", 400, `after "3" is after the client's last event`},
	} {
		t.Run(name, func(t *testing.T) {
			code, answer := w.usage(t, c.method, c.path, c.auth, c.body)
			require.Equal(t, c.status, code, fmt.Sprint(answer))
			require.Contains(t, answer.Error.Message, c.says)
		})
	}

	require.NoError(t, w.store.Clients().Change(t.Context(), "ann", func(c *store.Client) error {
		c.RevokedAt = time.Now()
		return nil
	}))
	code, answer = w.usage(t, http.MethodGet, "/v1/usage", auth["ann"], "")
	require.Equal(t, http.StatusUnauthorized, code, "also while it is recognized without asking the store")
	require.Contains(t, answer.Error.Message, `client "ann" was revoked`)
}
