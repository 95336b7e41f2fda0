package identity

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/time/rate"

	"github.com/pmctl/pmctl/internal/clock"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/internal/transport"
)

const (
	// keysPatience is how long the issuer's server may take: until then requests wait, whose clients
	// wait no longer than a minute.
	keysPatience = 5 * time.Second

	// Each token of an unknown key has the keys fetched, and any caller can send one. Fetches beyond
	// keysBurst begin at least keysPause apart; requests that need the same fetch share it.
	keysBurst = 5
	keysPause = time.Second

	// keysAge is how long a key that the issuer no longer lists is accepted. The keys are fetched again
	// after keysRetry where that failed.
	keysAge   = 5 * time.Minute
	keysRetry = time.Minute

	// maxKeys is how large a JWKS document may be, in bytes.
	maxKeys = 1 << 20
)

// issuerKeys are the keys that an issuer lists. The library fetches them again for a key that it does not
// know, and keeps a key that is no longer listed until then: after keysAge a new set replaces the old one.
type issuerKeys struct {
	*JWT
	empty func() *oidc.RemoteKeySet

	mu      sync.Mutex
	current *oidc.RemoteKeySet
	// since is when the current set began, and tried when it was last to be renewed.
	since, tried time.Time
}

func newIssuerKeys(ctx context.Context, j *JWT) *issuerKeys {
	client := &http.Client{Transport: transport.New()}
	if j.HTTP != nil {
		*client = *j.HTTP
	}
	client.Timeout = cmp.Or(j.Patience, keysPatience)
	client.Transport = &issuerServer{cmp.Or(client.Transport, http.DefaultTransport), rate.NewLimiter(rate.Every(keysPause), keysBurst)}
	empty := func() *oidc.RemoteKeySet { return oidc.NewRemoteKeySet(oidc.ClientContext(ctx, client), j.KeysURL) }
	return &issuerKeys{JWT: j, empty: empty, current: empty(), since: j.Now()}
}

// VerifySignature implements oidc.KeySet. If the keys are due it renews them first, so that no key is
// accepted that was withdrawn while no token came, or the machine slept. Requests at the same moment
// do not wait for that.
func (k *issuerKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	if since, due := k.due(); due {
		// The client may go: the next one has the keys.
		if err := k.renew(context.WithoutCancel(ctx)); err != nil {
			k.Log.Warn("the keys that were fetched before stay accepted", "fetched_at", since.UTC(), "error", err.Error())
		}
	}
	k.mu.Lock()
	current := k.current
	k.mu.Unlock()
	return current.VerifySignature(ctx, token)
}

// due returns since when there are the keys, and whether the caller is to renew them.
func (k *issuerKeys) due() (since time.Time, due bool) {
	now := k.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if due = !clock.Within(now, k.since, keysAge) && !clock.Within(now, k.tried, keysRetry); due {
		k.tried = now
	}
	return k.since, due
}

// probeToken is signed with no key, so that a set without keys fetches them for it.
const probeToken = "eyJhbGciOiJSUzI1NiJ9.e30.AA"

// renew replaces the keys by those that the issuer lists now.
func (k *issuerKeys) renew(ctx context.Context) error {
	next, now := k.empty(), k.Now()
	_, err := next.VerifySignature(ctx, probeToken)
	if why := errors.Unwrap(err); why != nil {
		return &KeysError{k.KeysURL, why}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !now.Before(k.since) {
		k.current, k.since = next, now
	}
	return nil
}

// issuerServer is a transport to an issuer's server, whose requests wait for their turn, and whose answers are
// bounded and have keys.
type issuerServer struct {
	http.RoundTripper
	turns *rate.Limiter
}

// RoundTrip implements http.RoundTripper.
func (s *issuerServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := s.turns.Wait(r.Context()); err != nil {
		return nil, err
	}
	response, err := s.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := input.ReadAll(response.Body, maxKeys)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		if text, err = usableKeys(text); err != nil {
			return nil, err
		}
	}
	response.Body = io.NopCloser(bytes.NewReader(text))
	return response, nil
}

// usableKeys is a JWKS document without the keys that verify no signature: the library takes those for other uses,
// and nothing of a document with a damaged one. It refuses a document without any other, as every token would be
// taken for forged. What is not such a document is left to the library.
func usableKeys(text []byte) ([]byte, error) {
	var listed struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(text, &listed) != nil {
		return text, nil
	}
	all := len(listed.Keys)
	listed.Keys = slices.DeleteFunc(listed.Keys, func(one json.RawMessage) bool {
		var key jose.JSONWebKey
		return json.Unmarshal(one, &key) != nil || !key.IsPublic() || key.Use != "" && key.Use != "sig"
	})
	switch {
	case all == 0:
		return nil, errors.New("its answer lists no key")
	case len(listed.Keys) == 0:
		return nil, fmt.Errorf("its answer lists %d keys, none of which is a public key that can be used", all)
	}
	return json.Marshal(listed)
}
