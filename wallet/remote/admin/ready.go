package admin

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet"
)

// checkTimeout bounds what the store and the key may take for a look at the signer's health.
const checkTimeout = 5 * time.Second

// checkAccepting is whether the signer is not being stopped, and checkCertificate whether clients that
// check its certificate accept the time of that.
const (
	checkAccepting   = "accepting"
	checkCertificate = "certificate"
)

var errStopping = errors.New("the signer is being stopped")

// readiness is the answer of /readyz.
type readiness struct {
	Ready  bool          `json:"ready"`
	Checks []checkedItem `json:"checks"`
}

type checkedItem struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

func (c *Config) check(ctx context.Context) readiness {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	accepting := wallet.SignerCheck{Name: checkAccepting}
	if c.Stopping != nil && c.Stopping() {
		accepting.Err = errStopping
	}
	r := readiness{Ready: true}
	checks := append(c.Signer.Checks(ctx), accepting)
	if certificate := c.certificate(); certificate != nil {
		checks = append(checks, wallet.SignerCheck{Name: checkCertificate, Err: CheckValidity(certificate, time.Now())})
	}
	for _, check := range checks {
		item := checkedItem{Name: check.Name, OK: check.Err == nil}
		if check.Err != nil {
			item.Error, r.Ready = check.Err.Error(), false
		}
		if errors.Is(check.Err, context.DeadlineExceeded) && ctx.Err() != nil {
			item.Error = fmt.Sprintf("no answer within %v: %v", duration.Text(checkTimeout), check.Err)
		}
		r.Checks = append(r.Checks, item)
	}
	return r
}

// certificate is nil where clients are shown none.
func (c *Config) certificate() *x509.Certificate {
	if c.Certificate == nil {
		return nil
	}
	return c.Certificate()
}

// CheckValidity fails for a certificate that has expired, or is not valid yet.
func CheckValidity(certificate *x509.Certificate, now time.Time) error {
	if now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) {
		return fmt.Errorf("clients that check the server's certificate refuse it: it is valid from %s to %s",
			certificate.NotBefore.UTC().Format(time.RFC3339), certificate.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

func (c *Config) ready(rw http.ResponseWriter, r *http.Request) {
	found := c.check(r.Context())
	status := http.StatusOK
	if !found.Ready {
		status = http.StatusServiceUnavailable
	}
	respond(rw, status, found)
}
