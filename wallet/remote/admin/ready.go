package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet"
)

// checkTimeout bounds what the store and the key may take for a look at the signer's health.
const checkTimeout = 5 * time.Second

// checkAccepting is whether the signer is not being stopped.
const checkAccepting = "accepting"

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
	for _, check := range append(c.Signer.Checks(ctx), accepting) {
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

func (c *Config) ready(rw http.ResponseWriter, r *http.Request) {
	found := c.check(r.Context())
	status := http.StatusOK
	if !found.Ready {
		status = http.StatusServiceUnavailable
	}
	respond(rw, status, found)
}
