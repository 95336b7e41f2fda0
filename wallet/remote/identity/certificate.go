package identity

import (
	"bytes"
	"crypto/x509"
	"errors"
	"net/http"

	"github.com/pmctl/pmctl/internal/pemfile"
)

// Certificates identifies clients by the certificate of their TLS connection, which the
// listener must have verified: the common name of its subject is
// what counts.
type Certificates struct {
	// Authorities are those that may sign certificates; nil are those that the listener verified
	// the certificate with. A connection may be older than they are.
	Authorities []*x509.Certificate
}

// ErrNoAuthority is of a text without a certificate in PEM.
var ErrNoAuthority = errors.New("no certificate in PEM")

// ParseAuthorities reads the certificates that sign those of clients, in PEM. It fails with
// ErrNoAuthority where there are none; of a damaged file it takes no part.
func ParseAuthorities(text []byte) (authorities []*x509.Certificate, err error) {
	blocks, err := pemfile.Blocks(text)
	if err != nil {
		return nil, err
	}
	for _, block := range blocks {
		if block.Type != "CERTIFICATE" {
			continue
		}
		authority, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		authorities = append(authorities, authority)
	}
	if len(authorities) == 0 {
		return nil, ErrNoAuthority
	}
	return authorities, nil
}

// Identify implements Identifier.
func (c Certificates) Identify(r *http.Request) (Caller, error) {
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
		return Caller{}, ErrNoCredentials
	}
	if c.Authorities != nil && !c.trust(r.TLS.VerifiedChains) {
		return Caller{}, refuse(http.StatusUnauthorized, "the authority that signed the client's certificate is no longer accepted")
	}
	name := r.TLS.VerifiedChains[0][0].Subject.CommonName
	if name == "" {
		return Caller{}, refuse(http.StatusUnauthorized, "the certificate's subject has no common name")
	}
	return Caller{Kind: KindCertificate, Value: name}, nil
}

// trust reports whether one of the chains ends at an authority, which may have renewed its own
// certificate since.
func (c Certificates) trust(chains [][]*x509.Certificate) bool {
	for _, chain := range chains {
		root := chain[len(chain)-1]
		for _, authority := range c.Authorities {
			if bytes.Equal(root.RawSubject, authority.RawSubject) && bytes.Equal(root.RawSubjectPublicKeyInfo, authority.RawSubjectPublicKeyInfo) {
				return true
			}
		}
	}
	return false
}
