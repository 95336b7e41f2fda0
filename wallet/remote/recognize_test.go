package remote_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/store"
)

// recognized is less than the time for which a client is recognized without asking the store.
const recognized = time.Second / 2

// TestAReplacedTokenSignsNothing: not even in the moment for which its client is recognized
// without asking the store.
func TestAReplacedTokenSignsNothing(t *testing.T) {
	list, key := captured(t, "signer_errors_and_payments")
	good := named(t, list, "inPixels, no type")
	w := newWorld(t, key, 100, identity.Tokens{}, nil, nil)
	pay := func(token string, want int) {
		t.Helper()
		good.Request.Headers = map[string]any{"Authorization": "Bearer " + token}
		res, body := w.ask(t, good)
		require.Equal(t, want, res.StatusCode, string(body))
	}
	first, second := identity.Token(), identity.Token()
	_, err := w.store.Clients().Add(t.Context(), store.Client{Name: "studio"}, store.Credential{Kind: string(identity.KindToken), Value: identity.TokenHash(first)})
	require.NoError(t, err)
	pay(first, http.StatusOK)
	until := w.now.Add(recognized)
	require.NoError(t, w.store.Clients().Rotate(t.Context(), "studio", store.Credential{Kind: string(identity.KindToken), Value: identity.TokenHash(second)}, until))
	pay(first, http.StatusOK)
	w.now = until
	pay(first, http.StatusUnauthorized)
	pay(second, http.StatusOK)
	recorded, err := w.store.LiveUsage().After(t.Context(), 0, 10)
	require.NoError(t, err)
	require.Len(t, recorded, 3)
}

// named is the capture with a name.
func named(t testing.TB, list []capture, name string) capture {
	t.Helper()
	for _, c := range list {
		if c.Name == name {
			return c
		}
	}
	require.FailNow(t, "no such capture", name)
	return capture{}
}
