package identity

import (
	"errors"
	"net/http"
	"strings"

	"github.com/pmctl/pmctl/wallet/live"
)

// Kind is a kind of credentials. Kinds are stored with the clients that they belong to.
type Kind string

// The kinds.
const (
	KindToken       Kind = "token"
	KindCertificate Kind = "certificate"
	KindJWT         Kind = "jwt"
	KindProxy       Kind = "proxy"
	KindNone        Kind = ""
)

// Caller is who sent a request, as its credentials say.
type Caller struct {
	Kind Kind

	// Value is what a client is found by: the hash of a token, the common name of a
	// certificate, the claim of a JSON Web Token, the client of a proxy's auth id.
	Value string

	// Subject is a user of the client's, "" where the client named none.
	Subject string
}

// An Identifier reads one kind of credentials.
type Identifier interface {
	// Identify returns who sent the request. It fails with ErrNoCredentials when the request
	// has no credentials of this kind, and with a live.Refusal when they are not valid: of
	// http.StatusUnauthorized where other credentials of the same kind could be valid, and of
	// http.StatusForbidden where the caller may not use this kind at all. It never has the credentials.
	Identify(r *http.Request) (Caller, error)
}

// ErrNoCredentials is returned for a request without credentials.
var ErrNoCredentials = live.Refuse(http.StatusUnauthorized, "the request has no credentials")

// Any asks several Identifiers, and takes the first that finds credentials of its kind.
type Any []Identifier

// Identify implements Identifier.
func (a Any) Identify(r *http.Request) (Caller, error) {
	for _, one := range a {
		caller, err := one.Identify(r)
		if errors.Is(err, ErrNoCredentials) {
			continue
		}
		return caller, err
	}
	return Caller{}, ErrNoCredentials
}

// Bearer is the token of the Authorization header, "" where there is none.
func Bearer(r *http.Request) string {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
