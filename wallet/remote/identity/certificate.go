package identity

import "net/http"

// Certificates identifies clients by the certificate of their TLS connection, which the
// listener must have verified: the common name of its subject is
// what counts.
type Certificates struct{}

// Identify implements Identifier.
func (Certificates) Identify(r *http.Request) (Caller, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return Caller{}, ErrNoCredentials
	}
	name := r.TLS.VerifiedChains[0][0].Subject.CommonName
	if name == "" {
		return Caller{}, refuse(http.StatusUnauthorized, "the certificate's subject has no common name")
	}
	return Caller{Kind: KindCertificate, Value: name}, nil
}
