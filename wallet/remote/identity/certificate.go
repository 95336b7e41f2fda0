package identity

import (
	"bytes"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/pmctl/pmctl/internal/pemfile"
	"github.com/pmctl/pmctl/wallet/live"
)

// Certificates identifies clients by the certificate of their TLS connection, which the
// listener must have verified: the common name of its subject is
// what counts.
type Certificates struct {
	// Authorities are those that may sign certificates; nil are those that the listener verified
	// the certificate with. A connection may be older than they are.
	Authorities []*x509.Certificate

	// Now is the clock; nil is time.Now. A connection may outlive its certificate.
	Now func() time.Time
}

// ErrNoAuthority is returned for a text without a certificate in PEM.
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
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	own := r.TLS.VerifiedChains[0][0]
	if err := c.verify(r.TLS.VerifiedChains, now()); err != nil {
		return Caller{}, err
	}
	if own.Subject.CommonName == "" {
		return Caller{}, live.Refuse(http.StatusUnauthorized, "the certificate's subject has no common name")
	}
	return Caller{Kind: KindCertificate, Value: own.Subject.CommonName}, nil
}

// verify refuses a certificate that the listener would not accept any more, as nothing is verified
// again while a connection lasts.
func (c Certificates) verify(chains [][]*x509.Certificate, now time.Time) error {
	err := error(live.Refuse(http.StatusUnauthorized, "the authority that signed the client's certificate is no longer accepted"))
	for _, chain := range chains {
		root := c.authority(chain[len(chain)-1])
		if root == nil {
			continue
		}
		if err = current(append(slices.Clone(chain[:len(chain)-1]), root), now); err == nil {
			return nil
		}
	}
	return err
}

// authority is a chain's root as it is now, which may have renewed its own certificate since; nil if
// it is no longer accepted.
func (c Certificates) authority(root *x509.Certificate) *x509.Certificate {
	if c.Authorities == nil {
		return root
	}
	var newest *x509.Certificate
	for _, authority := range c.Authorities {
		same := bytes.Equal(root.RawSubject, authority.RawSubject) && bytes.Equal(root.RawSubjectPublicKeyInfo, authority.RawSubjectPublicKeyInfo)
		if same && (newest == nil || authority.NotAfter.After(newest.NotAfter)) {
			newest = authority
		}
	}
	return newest
}

// current refuses a chain of which a certificate has expired.
func current(chain []*x509.Certificate, now time.Time) error {
	for i, certificate := range chain {
		if !now.After(certificate.NotAfter) {
			continue
		}
		whose := "the client's certificate"
		if i > 0 {
			whose = "the certificate of the authority that signed the client's"
		}
		return live.Refuse(http.StatusUnauthorized, "%s expired at %s", whose, certificate.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}
