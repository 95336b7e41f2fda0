package identity

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/clock/clocktest"
)

var errDown = errors.New("down")

// issuer publishes keys, and signs with them.
type issuer struct {
	published
	down bool
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	if i.down {
		return nil, errDown
	}
	return i.published.RoundTrip(r)
}

func (i *issuer) publish(t *testing.T, keys ...any) {
	t.Helper()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, key := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key})
	}
	var err error
	i.body, err = json.Marshal(set)
	require.NoError(t, err)
}

// TestAKeyThatIsNoLongerListed: a key that the issuer has withdrawn is refused after five minutes, or
// once the keys are renewed. While the issuer's server is down its keys stay, and the log says so.
func TestAKeyThatIsNoLongerListed(t *testing.T) {
	stays, staying, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	leaves, leaving, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for name, withdraw := range map[string]func(t *testing.T, i *issuer, tokens *WebTokens, log *bytes.Buffer, asks func()){
		"after a time": func(t *testing.T, i *issuer, _ *WebTokens, log *bytes.Buffer, asks func()) {
			i.publish(t, stays)
			time.Sleep(keysAge - time.Second)
			asks()
			i.down = true
			time.Sleep(time.Second)
			asks()
			require.Contains(t, log.String(), "the keys that were fetched before stay accepted")
			require.Contains(t, log.String(), "down")
			require.NotContains(t, log.String(), "secret")
			i.down = false
			time.Sleep(keysRetry)
		},
		"when they are renewed": func(t *testing.T, i *issuer, tokens *WebTokens, _ *bytes.Buffer, asks func()) {
			i.publish(t, stays)
			i.down = true
			require.ErrorIs(t, tokens.Renew(t.Context()), errDown)
			asks()
			i.down = false
			i.publish(t)
			require.ErrorContains(t, tokens.Renew(t.Context()), "its answer lists no key")
			asks()
			i.publish(t, stays)
			require.NoError(t, tokens.Renew(t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				i := new(issuer)
				i.publish(t, stays, leaves)
				tokens, err := JWT{
					Issuer: "i", Audience: "a", KeysURL: "https://keys.example?secret", HTTP: &http.Client{Transport: i}, Log: slog.New(slog.NewTextHandler(&log, nil)),
				}.Tokens(t.Context())
				require.NoError(t, err)
				identify := func(key ed25519.PrivateKey) error {
					_, err := tokens.Identify(request("Authorization", "Bearer "+signed(t, jose.EdDSA, key, claims{"iss": "i", "aud": "a", "sub": "studio", "exp": time.Now().Add(time.Hour).Unix()})))
					return err
				}
				asks := func() {
					t.Helper()
					require.NoError(t, identify(staying))
					require.NoError(t, identify(leaving))
				}
				asks()
				withdraw(t, i, tokens, &log, asks)
				require.NoError(t, identify(staying))
				require.Equal(t, http.StatusUnauthorized, status(t, identify(leaving)))
			})
		})
	}
}

// TestKeysFromBeforeASleep are renewed before the first token is accepted, as are those of a signer to
// which no tokens came.
func TestKeysFromBeforeASleep(t *testing.T) {
	leaves, leaving, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	stays, _, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for name, pass := range map[string]func(time.Time) time.Time{
		"asleep":    func(at time.Time) time.Time { return clocktest.Asleep(at, 2*keysAge) },
		"set back":  func(at time.Time) time.Time { return clocktest.Asleep(at, -time.Hour) },
		"no tokens": func(at time.Time) time.Time { return at.Add(2 * keysAge) },
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			i := new(issuer)
			i.publish(t, leaves)
			tokens, err := JWT{
				Issuer: "i", Audience: "a", KeysURL: "https://keys.example", HTTP: &http.Client{Transport: i}, Now: func() time.Time { return now },
			}.Tokens(t.Context())
			require.NoError(t, err)
			token := signed(t, jose.EdDSA, leaving, claims{"iss": "i", "aud": "a", "sub": "studio", "exp": now.Add(time.Hour).Unix()})
			_, err = tokens.Identify(request("Authorization", "Bearer "+token))
			require.NoError(t, err)
			i.publish(t, stays)
			now = pass(now)
			_, err = tokens.Identify(request("Authorization", "Bearer "+token))
			require.Equal(t, http.StatusUnauthorized, status(t, err))
		})
	}
}

// TestKeysThatAreNone: a document without a key that could be meant says nothing about a token.
func TestKeysThatAreNone(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		publish func(*issuer)
		says    string
	}{
		"no key":           {func(i *issuer) { i.publish(t) }, "keys.example: its answer lists no key"},
		"an empty object":  {func(i *issuer) { i.body = []byte("{}") }, "keys.example: its answer lists no key"},
		"a symmetric key":  {func(i *issuer) { i.publish(t, []byte("0123456789abcdef")) }, "its answer lists 1 keys, none of which is a public key"},
		"more than a MiB":  {func(i *issuer) { i.publish(t, public); i.body = append(i.body, strings.Repeat(" ", 1<<20)...) }, "it has more than 1048576 bytes"},
		"not JSON":         {func(i *issuer) { i.body = []byte("<html>") }, "cannot fetch the keys"},
		"an unusable file": {func(i *issuer) { i.body = []byte(`{"keys":[{"kty":"RSA"}]}`) }, "its answer lists 1 keys, none of which is a public key"},
	} {
		t.Run(name, func(t *testing.T) {
			i := new(issuer)
			c.publish(i)
			tokens, err := JWT{Issuer: "i", Audience: "a", KeysURL: "https://keys.example", HTTP: &http.Client{Transport: i}}.Tokens(t.Context())
			require.NoError(t, err)
			_, err = tokens.Identify(request("Authorization", "Bearer "+signed(t, jose.EdDSA, key, claims{"iss": "i", "aud": "a", "sub": "studio", "exp": time.Now().Add(time.Hour).Unix()})))
			require.ErrorAs(t, err, new(*KeysError))
			require.ErrorContains(t, err, c.says)
		})
	}
}

// TestKeysOfAnotherUse: a key with which the issuer decrypts signs no token, and one that is damaged keeps back no other.
func TestKeysOfAnotherUse(t *testing.T) {
	signs, signing, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	encrypts, decrypting, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	i := new(issuer)
	i.body, err = json.Marshal(map[string]any{"keys": []any{
		jose.JSONWebKey{Key: encrypts, Use: "enc"}, map[string]string{"kty": "RSA", "n": "AQAB", "e": "AQAB", "x5t": "AA"}, jose.JSONWebKey{Key: signs, Use: "sig"},
	}})
	require.NoError(t, err)
	tokens, err := JWT{Issuer: "i", Audience: "a", KeysURL: "https://keys.example", HTTP: &http.Client{Transport: i}}.Tokens(t.Context())
	require.NoError(t, err)
	identify := func(key ed25519.PrivateKey) error {
		_, err := tokens.Identify(request("Authorization", "Bearer "+signed(t, jose.EdDSA, key, claims{"iss": "i", "aud": "a", "sub": "studio", "exp": time.Now().Add(time.Hour).Unix()})))
		return err
	}
	require.NoError(t, identify(signing))
	require.Equal(t, http.StatusUnauthorized, status(t, identify(decrypting)))
}
