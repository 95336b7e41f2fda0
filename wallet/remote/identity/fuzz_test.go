package identity

import (
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// FuzzUsableKeys: of whatever an issuer lists, only public keys remain.
func FuzzUsableKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig"},{"kty":"RSA","n":"","e":""}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},null,7]}`))
	f.Add([]byte(`{"keys":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		usable, err := usableKeys(text)
		var set jose.JSONWebKeySet
		if err != nil || json.Unmarshal(text, new(struct{ Keys []json.RawMessage })) != nil {
			return
		}
		require.NoError(t, json.Unmarshal(usable, &set))
		require.NotEmpty(t, set.Keys)
		for _, key := range set.Keys {
			require.True(t, key.IsPublic())
		}
	})
}

// FuzzWebTokens: no bytes but those that the issuer signed are a client's.
func FuzzWebTokens(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	tokens, err := JWT{Issuer: "i", Audience: "a", Keys: []crypto.PublicKey{key.Public()}, Now: func() time.Time { return now }}.Tokens(f.Context())
	require.NoError(f, err)
	good := signed(f, jose.EdDSA, key, claims{"iss": "i", "aud": "a", "sub": "studio", "exp": now.Add(time.Minute).Unix()})
	f.Add("Bearer " + good)
	f.Add("Bearer " + good + ".")
	f.Add("Bearer eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, header string) {
		caller, err := tokens.Identify(request("Authorization", header))
		if err == nil {
			require.Equal(t, "studio", caller.Value)
			require.Contains(t, header, good)
			return
		}
		require.Equal(t, http.StatusUnauthorized, status(t, err))
	})
}
