package identity

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// published serves a document.
type published struct {
	body    []byte
	fetched atomic.Int64
}

func (p *published) RoundTrip(*http.Request) (*http.Response, error) {
	p.fetched.Add(1)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(p.body))}, nil
}

// TestAFloodOfUnknownKeys: tokens that are signed with unknown keys have the issuer's keys fetched
// once a second, and delay no client whose key is known.
func TestAFloodOfUnknownKeys(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	_, stranger, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public}}})
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		issuer := &published{body: keys}
		identifier, err := JWT{Issuer: "i", Audience: "a", KeysURL: "https://keys.example", HTTP: &http.Client{Transport: issuer}}.Tokens(t.Context())
		require.NoError(t, err)
		token := func(key ed25519.PrivateKey) *http.Request {
			return request("Authorization", "Bearer "+signed(t, jose.EdDSA, key, claims{"iss": "i", "aud": "a", "sub": "studio", "exp": time.Now().Add(time.Hour).Unix()}))
		}
		const forged = 60
		began := time.Now()
		for range forged {
			_, err := identifier.Identify(token(stranger))
			require.Equal(t, http.StatusUnauthorized, status(t, err))
			before := time.Now()
			_, err = identifier.Identify(token(key))
			require.NoError(t, err)
			require.Zero(t, time.Since(before))
		}
		seconds := int64(time.Since(began) / time.Second)
		require.LessOrEqual(t, issuer.fetched.Load(), 5+seconds)
		require.LessOrEqual(t, seconds, int64(forged), "a forged token waits for a second at most")
	})
}
