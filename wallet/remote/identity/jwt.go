package identity

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/time/rate"

	"github.com/pmctl/pmctl/internal/neterr"
	"github.com/pmctl/pmctl/internal/pemfile"
)

// JWT is which JSON Web Tokens are accepted.
type JWT struct {
	// Issuer and Audience are the token's iss and aud. Both must match.
	Issuer, Audience string

	// Keys are the issuer's public keys. Where there are none they are fetched from KeysURL, a
	// JWKS endpoint, and again when a token is signed with an unknown one.
	Keys    []crypto.PublicKey
	KeysURL string

	// Client is the claim that names the client, "sub" when empty. Subject is the claim that
	// names a user of the client's; none when empty.
	Client, Subject string

	// HTTP fetches keys, at most once a second for long, and each time for at most Patience, 5 seconds
	// when 0; nil is a client of its own.
	HTTP     *http.Client
	Patience time.Duration

	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// ErrNoKey is of a text without a public key in PEM.
var ErrNoKey = errors.New("no public key in PEM")

// publicKeyBlock is the type of a PEM block with a public key.
const publicKeyBlock = "PUBLIC KEY"

// KeyTypeError is a PEM block of another type than a public key's, such as a private key.
type KeyTypeError struct{ Type string }

func (e *KeyTypeError) Error() string {
	return fmt.Sprintf("%q in PEM, where %q is needed", e.Type, publicKeyBlock)
}

// ParseKeys reads an issuer's public keys in PEM. It fails with ErrNoKey where there are none, and
// with *KeyTypeError; of a damaged file it takes no part.
func ParseKeys(text []byte) (keys []crypto.PublicKey, err error) {
	blocks, err := pemfile.Blocks(text)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		if block.Type != publicKeyBlock {
			return nil, &KeyTypeError{block.Type}
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, ErrNoKey
	}
	return keys, nil
}

// keysPatience is how long the issuer's server may take: until then requests wait, whose clients
// wait no longer than a minute.
const keysPatience = 5 * time.Second

// Each token of an unknown key has the keys fetched, and any caller can send one. Fetches beyond
// keysBurst begin at least keysPause apart; requests that need the same fetch share it.
const (
	keysBurst = 5
	keysPause = time.Second
)

// paced is a transport whose requests wait for their turn.
type paced struct {
	http.RoundTripper
	turns *rate.Limiter
}

// RoundTrip implements http.RoundTripper.
func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := p.turns.Wait(r.Context()); err != nil {
		return nil, err
	}
	return p.RoundTripper.RoundTrip(r)
}

// notBeforeLeeway is how far the issuer's clock may be ahead.
const notBeforeLeeway = 30 * time.Second

// Tokens returns an Identifier for these tokens. It keeps fetched keys until ctx ends.
func (j JWT) Tokens(ctx context.Context) (Identifier, error) {
	var keys oidc.KeySet
	switch {
	case j.Issuer == "" || j.Audience == "":
		return nil, errors.New("JWT authentication needs an issuer and an audience")
	case len(j.Keys) > 0:
		keys = &oidc.StaticKeySet{PublicKeys: j.Keys}
	case j.KeysURL != "":
		client := new(http.Client)
		if j.HTTP != nil {
			*client = *j.HTTP
		}
		client.Timeout = cmp.Or(j.Patience, keysPatience)
		client.Transport = &paced{cmp.Or(client.Transport, http.DefaultTransport), rate.NewLimiter(rate.Every(keysPause), keysBurst)}
		keys = oidc.NewRemoteKeySet(oidc.ClientContext(ctx, client), j.KeysURL)
	default:
		return nil, errors.New("JWT authentication needs keys, from a file or a JWKS URL")
	}
	if j.Client == "" {
		j.Client = "sub"
	}
	if j.Now == nil {
		j.Now = time.Now
	}
	verifier := oidc.NewVerifier(j.Issuer, fetched{keys}, &oidc.Config{
		ClientID: j.Audience, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256, oidc.EdDSA}, Now: j.Now,
	})
	return &webTokens{j, verifier}, nil
}

type webTokens struct {
	JWT
	verifier *oidc.IDTokenVerifier
}

// Identify implements Identifier.
func (w *webTokens) Identify(r *http.Request) (Caller, error) {
	token := bearer(r)
	if strings.Count(token, ".") != 2 {
		return Caller{}, ErrNoCredentials
	}
	var fetching error
	verified, err := w.verifier.Verify(context.WithValue(r.Context(), fetchingKey{}, &fetching), token)
	if fetching != nil {
		return Caller{}, &KeysError{w.KeysURL, fetching}
	} else if err != nil {
		return Caller{}, refuse(http.StatusUnauthorized, "the JSON Web Token is not valid: %w", err)
	}
	var claims map[string]any
	if err := verified.Claims(&claims); err != nil {
		return Caller{}, refuse(http.StatusUnauthorized, "the JSON Web Token's claims: %w", err)
	}
	// The library allows five minutes.
	if from, ok := claims["nbf"].(float64); ok && w.Now().Add(notBeforeLeeway).Before(time.Unix(int64(from), 0)) {
		return Caller{}, refuse(http.StatusUnauthorized, "the JSON Web Token is not valid before %v", time.Unix(int64(from), 0).UTC())
	}
	caller := Caller{Kind: KindJWT}
	if caller.Value, _ = claims[w.Client].(string); caller.Value == "" {
		return Caller{}, refuse(http.StatusUnauthorized, "the JSON Web Token has no claim %q, which names the client", w.Client)
	}
	if w.Subject != "" {
		caller.Subject, _ = claims[w.Subject].(string)
	}
	return caller, nil
}

// KeysError is returned when the issuer's keys cannot be fetched: a token is then neither
// valid nor invalid.
type KeysError struct {
	// URL is where they should be. It may have a secret in it, and is not shown whole.
	URL string

	Err error
}

func (e *KeysError) Error() string {
	host := "its server"
	if u, err := url.Parse(e.URL); err == nil && u.Host != "" {
		host = u.Host
	}
	err := neterr.WithoutURL(e.Err)
	// The server's answer, such as a whole page, is a part of some errors.
	return fmt.Sprintf("cannot fetch the keys of the JSON Web Tokens' issuer from %s: %.300s", host, cmp.Or(neterr.Reason(err), err.Error()))
}

// Unwrap returns the reason.
func (e *KeysError) Unwrap() error { return e.Err }

// fetched is a key set that says in the context why it could not fetch its keys: the verifier
// keeps no more of that than its text.
type fetched struct{ oidc.KeySet }

type fetchingKey struct{}

// VerifySignature implements oidc.KeySet.
func (f fetched) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := f.KeySet.VerifySignature(ctx, token)
	if why := errors.Unwrap(err); why != nil {
		if place, ok := ctx.Value(fetchingKey{}).(*error); ok {
			*place = why
		}
	}
	return payload, err
}
