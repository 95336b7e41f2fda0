package admin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/pmctl/pmctl/internal/loopback"
	"github.com/pmctl/pmctl/internal/plainjson"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/remote/identity"
)

// Signer is what is watched; *wallet.RemoteSigner is one.
type Signer interface {
	Checks(ctx context.Context) []wallet.SignerCheck

	// State has an error if the store cannot be read, and then a part of the state.
	State(ctx context.Context) (*wallet.SignerState, error)
}

// Config is what Handler needs.
type Config struct {
	Signer Signer

	// Recorder observes the signer's answers; nil is one that nothing observes with.
	Recorder *Recorder

	// Reload reads the settings again. It fails without a change where they are not valid. nil is for
	// settings that cannot be read again.
	Reload func(context.Context) (*Reloaded, error)

	// Certificate returns the certificate that clients are shown, nil for none; a nil func is none at all.
	Certificate func() *x509.Certificate

	// Stopping reports whether the signer accepts no more requests; nil is never.
	Stopping func() bool

	// Token is what a caller must send, as a bearer token or as the password of basic
	// authentication; "" lets every caller in that names the listener by a loopback address.
	Token string
}

// Reloaded is what reading the settings again did.
type Reloaded struct {
	// Applied are the settings that were read.
	Applied []string `json:"applied"`

	// Restart are changed settings that apply after a restart.
	Restart []string `json:"restart_needed"`
}

// Handler answers the requests of operators and monitors.
func Handler(c Config) http.Handler {
	c.Recorder = cmp.Or(c.Recorder, NewRecorder())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) {
		respond(rw, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", c.ready)
	mux.HandleFunc("GET /metrics", c.metrics)
	mux.HandleFunc("GET /replicas", c.replicas)
	mux.HandleFunc("POST /reload", c.reload)
	mux.HandleFunc("GET /{$}", c.page)
	mux.HandleFunc("GET /runway.svg", c.picture)
	mux.HandleFunc("GET /style.css", stylesheet)
	return c.guarded(http.NewCrossOriginProtection().Handler(mux))
}

func (c *Config) reload(rw http.ResponseWriter, r *http.Request) {
	if c.Reload == nil {
		refuse(rw, http.StatusUnprocessableEntity, errNoReload)
		return
	}
	done, err := c.Reload(r.Context())
	if err != nil {
		refuse(rw, http.StatusUnprocessableEntity, err)
		return
	}
	respond(rw, http.StatusOK, done)
}

var (
	errNoToken  = errors.New("the request needs the admin token, as a bearer token or as the password of basic authentication")
	errNoReload = errors.New("the settings of this signer are fixed: restart it to change them")
	errHost     = errors.New("without an admin token the listener is addressed as localhost or by a loopback address")
)

// guarded refuses those without the token. Where there is none, the name that the listener is
// addressed by must be local: a page of another site cannot read it under a name of its own.
func (c *Config) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			rw.Header().Set(name, value)
		}
		switch {
		case c.Token == "" && !loopback.IsHost(r.Host):
			refuse(rw, http.StatusForbidden, errHost)
		case c.Token != "" && !c.knows(r):
			rw.Header().Set("WWW-Authenticate", `Basic realm="pmctl signer"`)
			refuse(rw, http.StatusUnauthorized, errNoToken)
		default:
			next.ServeHTTP(rw, r)
		}
	})
}

// knows reports whether a request has the token. Hashes are compared, whose time reveals nothing
// of it.
func (c *Config) knows(r *http.Request) bool {
	_, given, ok := r.BasicAuth()
	if !ok {
		given = identity.Bearer(r)
	}
	want, got := sha256.Sum256([]byte(c.Token)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

func refuse(rw http.ResponseWriter, status int, err error) {
	type text struct {
		Message string `json:"message"`
	}
	respond(rw, status, struct {
		Error text `json:"error"`
	}{text{err.Error()}})
}

func respond(rw http.ResponseWriter, status int, document any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(plainjson.Writer{Writer: rw}).Encode(document) // the caller is gone
}
