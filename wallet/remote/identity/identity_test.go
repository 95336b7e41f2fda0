package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/live"
)

func status(t testing.TB, err error) int {
	t.Helper()
	var refused live.Refusal
	require.ErrorAs(t, err, &refused)
	return refused.Status()
}

func request(header, value string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	if header != "" {
		r.Header.Set(header, value)
	}
	return r
}

func TestTokens(t *testing.T) {
	token := Token()
	require.NotEqual(t, token, Token())
	require.Len(t, token, len(tokenPrefix)+43, "256 bits")
	caller, err := Tokens{}.Identify(request("Authorization", "bearer "+token))
	require.NoError(t, err)
	require.Equal(t, Caller{Kind: KindToken, Value: TokenHash(token)}, caller)
	for _, none := range []*http.Request{request("", ""), request("Authorization", "Basic "+token), request("Authorization", token), request("Authorization", "Bearer other")} {
		_, err = Tokens{}.Identify(none)
		require.ErrorIs(t, err, ErrNoCredentials)
	}
}

func TestProxies(t *testing.T) {
	p := Proxies{[]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	r := request(authIDHeader, "studio:ann:b")
	r.RemoteAddr = "192.0.2.7:1234"
	caller, err := p.Identify(r)
	require.NoError(t, err)
	require.Equal(t, Caller{KindProxy, "studio", "ann:b"}, caller)

	r.RemoteAddr = "[::ffff:192.0.2.7]:1234"
	_, err = p.Identify(r)
	require.NoError(t, err)
	for _, stranger := range []string{"198.51.100.1:1", "@", ""} {
		r.RemoteAddr = stranger
		_, err = p.Identify(r)
		require.Equal(t, http.StatusForbidden, status(t, err))
	}
	r.RemoteAddr = "192.0.2.7:1234"
	r.Header.Add(authIDHeader, "other")
	_, err = p.Identify(r)
	require.Equal(t, http.StatusUnauthorized, status(t, err))
	_, err = p.Identify(request("", ""))
	require.ErrorIs(t, err, ErrNoCredentials)
}

// TestParseProxies: every address is no proxy's.
func TestParseProxies(t *testing.T) {
	p, err := ParseProxies([]string{"192.0.2.7", "10.0.0.0/8", "2001:db8::/32"})
	require.NoError(t, err)
	require.Len(t, p.Trusted, 3)
	mapped, err := ParseProxies([]string{"::ffff:192.0.2.7", "::ffff:10.0.0.0/104"})
	require.NoError(t, err)
	require.Equal(t, p.Trusted[:2], mapped.Trusted)
	for _, all := range []string{"0.0.0.0/0", "::/0", "1.2.3.4/0", "::ffff:0:0/96", "::ffff:0:0/90"} {
		_, err = ParseProxies([]string{"192.0.2.7", all})
		require.ErrorContains(t, err, "is every address", all)
	}
}

// TestCertificates: a connection over TLS whose client has a certificate.
func TestCertificates(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	certificate := func(name string) tls.Certificate {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	roots := x509.NewCertPool()
	ask := func(name string) (caller Caller, err error) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			caller, err = Certificates{}.Identify(r)
		}))
		server.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: roots}
		server.StartTLS()
		defer server.Close()
		client := server.Client()
		if name != "-" {
			own := certificate(name)
			parsed, err := x509.ParseCertificate(own.Certificate[0])
			require.NoError(t, err)
			roots.AddCert(parsed)
			client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{own}
		}
		answer, getErr := client.Get(server.URL)
		require.NoError(t, getErr)
		require.NoError(t, answer.Body.Close())
		return caller, err
	}
	caller, err := ask("studio")
	require.NoError(t, err)
	require.Equal(t, Caller{Kind: KindCertificate, Value: "studio"}, caller)
	_, err = ask("-")
	require.ErrorIs(t, err, ErrNoCredentials)
	_, err = ask("")
	require.Equal(t, http.StatusUnauthorized, status(t, err))
}

// TestACertificateEndsDuringAConnection: a connection stays open longer than its client's
// certificate, or one of its authority's, is valid.
func TestACertificateEndsDuringAConnection(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	began := time.Now()
	certificate := func(name string, signer *x509.Certificate, valid time.Duration) *x509.Certificate {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: began, NotAfter: began.Add(valid),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if signer == nil {
			signer = template
		}
		der, err := x509.CreateCertificate(rand.Reader, template, signer, key.Public(), key)
		require.NoError(t, err)
		parsed, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return parsed
	}
	root, renewed := certificate("root", nil, 3*time.Hour), certificate("root", nil, 9*time.Hour)
	between := certificate("between", root, 2*time.Hour)
	brief, lasting := certificate("studio", between, time.Hour), certificate("studio", between, 9*time.Hour)
	direct := certificate("studio", root, 9*time.Hour)
	for name, c := range map[string]struct {
		chain       []*x509.Certificate
		authorities []*x509.Certificate
		valid       time.Duration
		refused     string
	}{
		"the client's own":           {chain: []*x509.Certificate{brief, between, root}, valid: time.Hour, refused: "the client's certificate expired at "},
		"an authority's":             {chain: []*x509.Certificate{lasting, between, root}, valid: 2 * time.Hour, refused: "of the authority that signed the client's expired at "},
		"the root's":                 {chain: []*x509.Certificate{direct, root}, valid: 3 * time.Hour, refused: "of the authority that signed the client's expired at "},
		"the root's in the file":     {chain: []*x509.Certificate{direct, root}, authorities: []*x509.Certificate{root}, valid: 3 * time.Hour, refused: "of the authority that signed the client's expired at "},
		"the root's that is renewed": {chain: []*x509.Certificate{direct, root}, authorities: []*x509.Certificate{renewed, root}, valid: 9 * time.Hour, refused: "the client's certificate expired at "},
	} {
		t.Run(name, func(t *testing.T) {
			now := began
			certificates := Certificates{Authorities: c.authorities, Now: func() time.Time { return now }}
			open := request("", "")
			open.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{c.chain}}
			now = began.Add(c.valid - time.Second)
			caller, err := certificates.Identify(open)
			require.NoError(t, err)
			require.Equal(t, Caller{Kind: KindCertificate, Value: "studio"}, caller)
			now = began.Add(c.valid + time.Second)
			_, err = certificates.Identify(open)
			require.Equal(t, http.StatusUnauthorized, status(t, err))
			require.ErrorContains(t, err, c.refused)
		})
	}
}

type claims map[string]any

func (c claims) but(name string, value any) claims {
	changed := claims{}
	for k, v := range c {
		changed[k] = v
	}
	if changed[name] = value; value == nil {
		delete(changed, name)
	}
	return changed
}

func signed(t testing.TB, algorithm jose.SignatureAlgorithm, key any, c claims) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, nil)
	require.NoError(t, err)
	payload, err := json.Marshal(c)
	require.NoError(t, err)
	object, err := signer.Sign(payload)
	require.NoError(t, err)
	token, err := object.CompactSerialize()
	require.NoError(t, err)
	return token
}

func TestJWT(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	identifier, err := JWT{
		Issuer: "https://issuer.example", Audience: "signer", Keys: []crypto.PublicKey{ed.Public(), ec.Public(), rs.Public()},
		Client: "client_id", Subject: "sub", Now: func() time.Time { return now },
	}.Tokens(t.Context())
	require.NoError(t, err)
	good := claims{"iss": "https://issuer.example", "aud": "signer", "sub": "ann", "client_id": "studio", "exp": now.Add(time.Minute).Unix()}
	identify := func(token string) (Caller, error) {
		return identifier.Identify(request("Authorization", "Bearer "+token))
	}
	for algorithm, key := range map[jose.SignatureAlgorithm]any{jose.EdDSA: ed, jose.ES256: ec, jose.RS256: rs} {
		caller, err := identify(signed(t, algorithm, key, good))
		require.NoError(t, err, algorithm)
		require.Equal(t, Caller{KindJWT, "studio", "ann"}, caller)
	}

	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	refused := map[string]string{
		"expired":         signed(t, jose.EdDSA, ed, good.but("exp", now.Add(-time.Second).Unix())),
		"for ever":        signed(t, jose.EdDSA, ed, good.but("exp", nil)),
		"another issuer":  signed(t, jose.EdDSA, ed, good.but("iss", "https://other.example")),
		"wrong audience":  signed(t, jose.EdDSA, ed, good.but("aud", "other")),
		"not yet valid":   signed(t, jose.EdDSA, ed, good.but("nbf", now.Add(time.Minute).Unix())),
		"never valid":     signed(t, jose.EdDSA, ed, good.but("nbf", 1e300)),
		"no client":       signed(t, jose.EdDSA, ed, good.but("client_id", nil)),
		"a wrong key":     signed(t, jose.EdDSA, stranger, good),
		"HMAC of the key": signed(t, jose.HS256, []byte(ed.Public().(ed25519.PublicKey)), good),
		"no algorithm":    "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoic2lnbmVyIiwiZXhwIjoxODAwMDAwMDYwfQ.",
		"no token":        "a.b.c",
	}
	for name, token := range refused {
		_, err := identify(token)
		require.Equal(t, http.StatusUnauthorized, status(t, err), name)
		require.NotContains(t, err.Error(), token, name)
	}
	_, err = identify(signed(t, jose.EdDSA, ed, good.but("client_id", 7)))
	require.EqualError(t, err, `the JSON Web Token's claim "client_id" is not a string`)
	identifier.JWT.Subject = "user"
	_, err = identify(signed(t, jose.EdDSA, ed, good.but("user", 7)))
	require.EqualError(t, err, `the JSON Web Token's claim "user" is not a string`)
}

// TestKeysAreFetched: the issuer's keys come from its endpoint, and again for an unknown one.
func TestKeysAreFetched(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var published atomic.Pointer[jose.JSONWebKeySet]
	published.Store(new(jose.JSONWebKeySet))
	var down atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(rw).Encode(published.Load())
	}))
	defer server.Close()
	identifier, err := JWT{Issuer: "i", Audience: "a", KeysURL: server.URL, Now: func() time.Time { return now }}.Tokens(t.Context())
	require.NoError(t, err)
	identify := func() error {
		public, key, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		published.Store(&jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public}}})
		token := signed(t, jose.EdDSA, key, claims{"iss": "i", "aud": "a", "sub": "studio", "exp": now.Add(time.Hour).Unix()})
		_, err = identifier.Identify(request("Authorization", "Bearer "+token))
		return err
	}
	// For a moment after a fetch, the library answers from that fetch once more, also for a key that it has not.
	settled := func(is func(error) bool) error {
		const moments = 100
		err := identify()
		for i := 0; i < moments && !is(err); i++ {
			err = identify()
		}
		return err
	}
	require.NoError(t, identify())
	require.NoError(t, settled(func(err error) bool { return err == nil }), "a key that was added since")
	down.Store(true)
	var keys *KeysError
	err = settled(func(err error) bool { return errors.As(err, &keys) })
	require.ErrorAs(t, err, &keys, "which says nothing about the token")
}

// TestKeysThatDoNotCome: an issuer's server that accepts connections and says nothing keeps no
// request waiting, and is asked again.
func TestKeysThatDoNotCome(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	public, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	var hangs atomic.Bool
	hangs.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if hangs.Load() {
			<-r.Context().Done()
			return
		}
		_ = json.NewEncoder(rw).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public}}})
	}))
	defer server.Close()
	identifier, err := JWT{
		Issuer: "i", Audience: "a", KeysURL: server.URL, Patience: 50 * time.Millisecond, Now: func() time.Time { return now },
	}.Tokens(t.Context())
	require.NoError(t, err)
	token := signed(t, jose.EdDSA, key, claims{"iss": "i", "aud": "a", "sub": "studio", "exp": now.Add(time.Hour).Unix()})
	_, err = identifier.Identify(request("Authorization", "Bearer "+token))
	require.ErrorAs(t, err, new(*KeysError))
	hangs.Store(false)
	require.Eventually(t, func() bool {
		_, err = identifier.Identify(request("Authorization", "Bearer "+token))
		return err == nil
	}, time.Minute, time.Millisecond)
}

func TestJWTNeedsItsSettings(t *testing.T) {
	for _, j := range []JWT{{}, {Issuer: "i", KeysURL: "https://keys.example"}, {Issuer: "i", Audience: "a"}} {
		_, err := j.Tokens(t.Context())
		require.Error(t, err)
	}
}

func TestAny(t *testing.T) {
	all := Any{Tokens{}, Proxies{}}
	_, err := all.Identify(request("", ""))
	require.ErrorIs(t, err, ErrNoCredentials)
	_, err = all.Identify(request(authIDHeader, "studio"))
	require.Equal(t, http.StatusForbidden, status(t, err))
	caller, err := all.Identify(request("Authorization", "Bearer "+Token()))
	require.NoError(t, err)
	require.Equal(t, KindToken, caller.Kind)
}

// TestStrangers: no other credentials let the header of a stranger pass.
func TestStrangers(t *testing.T) {
	p := Proxies{[]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	all := Any{p.Strangers(), Tokens{}, p, None{}}
	for _, authorization := range []string{"Bearer " + Token(), "Bearer of.something.else", ""} {
		r := request("Authorization", authorization)
		r.Header.Set(authIDHeader, "studio:ann")
		r.RemoteAddr = "198.51.100.7:1234"
		_, err := all.Identify(r)
		require.Equal(t, http.StatusForbidden, status(t, err))
		r.RemoteAddr = "192.0.2.7:1234"
		_, err = all.Identify(r)
		require.NoError(t, err)
	}
	caller, err := all.Identify(request("", ""))
	require.NoError(t, err)
	require.Equal(t, Caller{}, caller)
}
