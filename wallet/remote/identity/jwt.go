package identity

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/pmctl/pmctl/internal/neterr"
	"github.com/pmctl/pmctl/internal/pemfile"
	"github.com/pmctl/pmctl/wallet/live"
)

// JWT is which JSON Web Tokens are accepted.
type JWT struct {
	// Issuer and Audience are the token's iss and aud. Both must match.
	Issuer, Audience string

	// Keys are the issuer's public keys. Where there are none they are fetched from KeysURL, a
	// JWKS endpoint: again when a token is signed with an unknown one, and for a token that comes
	// when they are older than five minutes. If that fails, those that there are stay.
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

	// Log gets a line when keys cannot be renewed; nil is for none.
	Log *slog.Logger
}

// ErrNoKey is returned for a text without a public key in PEM.
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

// notBeforeLeeway is how far the issuer's clock may be ahead.
const notBeforeLeeway = 30 * time.Second

// latestTime is the last second of the year 9999.
const latestTime = 253402300799

// WebTokens identifies clients by JSON Web Tokens.
type WebTokens struct {
	JWT
	verifier *oidc.IDTokenVerifier
	// issuer is nil where the keys are given.
	issuer *issuerKeys
}

// Tokens returns an Identifier for these tokens.
func (j JWT) Tokens(ctx context.Context) (*WebTokens, error) {
	j.Client = cmp.Or(j.Client, "sub")
	if j.Now == nil {
		j.Now = time.Now
	}
	j.Log = cmp.Or(j.Log, slog.New(slog.DiscardHandler))
	var keys oidc.KeySet
	var issuer *issuerKeys
	switch {
	case j.Issuer == "" || j.Audience == "":
		return nil, errors.New("JWT authentication needs an issuer and an audience")
	case len(j.Keys) > 0:
		keys = &oidc.StaticKeySet{PublicKeys: j.Keys}
	case j.KeysURL != "":
		issuer = newIssuerKeys(ctx, &j)
		keys = issuer
	default:
		return nil, errors.New("JWT authentication needs keys, from a file or a JWKS URL")
	}
	verifier := oidc.NewVerifier(j.Issuer, fetched{keys}, &oidc.Config{
		ClientID: j.Audience, SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256, oidc.EdDSA}, Now: j.Now,
	})
	return &WebTokens{j, verifier, issuer}, nil
}

// Renew fetches the issuer's keys, if they are fetched. It fails with *KeysError, and then keeps
// the keys that it has.
func (w *WebTokens) Renew(ctx context.Context) error {
	if w.issuer == nil {
		return nil
	}
	return w.issuer.renew(ctx)
}

// Identify implements Identifier.
func (w *WebTokens) Identify(r *http.Request) (Caller, error) {
	token := Bearer(r)
	if strings.Count(token, ".") != 2 {
		return Caller{}, ErrNoCredentials
	}
	var fetching error
	verified, err := w.verifier.Verify(context.WithValue(r.Context(), fetchingKey{}, &fetching), token)
	if fetching != nil {
		return Caller{}, &KeysError{w.KeysURL, fetching}
	} else if err != nil {
		return Caller{}, live.Refuse(http.StatusUnauthorized, "the JSON Web Token is not valid: %w", err)
	}
	var claims map[string]any
	if err := verified.Claims(&claims); err != nil {
		return Caller{}, live.Refuse(http.StatusUnauthorized, "the JSON Web Token's claims: %w", err)
	}
	// The library allows five minutes.
	if from, ok := claims["nbf"].(float64); ok && from > float64(w.Now().Add(notBeforeLeeway).Unix()) {
		from = min(from, latestTime) // a number can be more than any time
		return Caller{}, live.Refuse(http.StatusUnauthorized, "the JSON Web Token is not valid before %v", time.Unix(int64(from), 0).UTC())
	}
	caller := Caller{Kind: KindJWT}
	for _, name := range []string{w.Client, w.Subject} {
		if _, text := claims[name].(string); !text && claims[name] != nil {
			return Caller{}, live.Refuse(http.StatusUnauthorized, "the JSON Web Token's claim %q is not a string", name)
		}
	}
	if caller.Value, _ = claims[w.Client].(string); caller.Value == "" {
		return Caller{}, live.Refuse(http.StatusUnauthorized, "the JSON Web Token has no claim %q, which names the client", w.Client)
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
