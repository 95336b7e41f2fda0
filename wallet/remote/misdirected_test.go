package remote_test

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote/identity"
)

// TestMisdirectedRequestsAreLogged: an operator sees what a client asks for that there is not, such as
// discovery where none is offered, and strangers make no long lines.
func TestMisdirectedRequestsAreLogged(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	w := newWorld(t, key, 100, identity.Tokens{}, nil, nil)
	for _, c := range []struct {
		method, path string
		status       int
		line         string
	}{
		{"GET", "/discover-orchestrators", http.StatusNotFound, `"path":"/discover-orchestrators","status":404`},
		{"GET", "/generate-live-payment", http.StatusMethodNotAllowed, `"path":"/generate-live-payment","status":405`},
		{"POST", "/" + strings.Repeat("x", 1<<16), http.StatusNotFound, `xxx…","status":404`},
	} {
		w.log.Reset()
		rw := httptest.NewRecorder()
		w.handler.ServeHTTP(rw, httptest.NewRequest(c.method, c.path, nil))
		require.Equal(t, c.status, rw.Code)
		require.Contains(t, w.log.String(), c.line)
		require.Contains(t, w.log.String(), `"error":"the signer has no such method and path"`)
		require.Less(t, w.log.Len(), 1000)
		require.Contains(t, w.log.String(), rw.Header().Get("X-Request-Id"))
	}
}

// TestABodyThatDoesNotArrive: the answer has no address of the server's.
func TestABodyThatDoesNotArrive(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	w := newWorld(t, key, 100, identity.None{}, nil, nil)
	rw := httptest.NewRecorder()
	late := &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 8935}, Err: os.ErrDeadlineExceeded}
	w.handler.ServeHTTP(rw, httptest.NewRequest(http.MethodPost, "/generate-live-payment", iotest.ErrReader(late)))
	require.Equal(t, http.StatusBadRequest, rw.Code)
	require.JSONEq(t, `{"error":{"message":"the body did not arrive within 15s"}}`, rw.Body.String())
}

// TestWhatIsLoggedOfARequest: neither a client nor a stranger fills the disk with errors that repeat a request.
func TestWhatIsLoggedOfARequest(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	tokens, err := identity.JWT{Issuer: "i", Audience: "a", Keys: []crypto.PublicKey{&ecdsa.PublicKey{}}}.Tokens(t.Context())
	require.NoError(t, err)
	w := newWorld(t, key, 100, identity.Any{tokens, identity.None{}}, nil, nil)
	long := strings.Repeat("1", 50_000)
	ask := func(body, name, value string, status int) {
		w.log.Reset()
		r := httptest.NewRequest(http.MethodPost, "/generate-live-payment", strings.NewReader(body))
		r.Header.Set(name, value)
		rw := httptest.NewRecorder()
		w.handler.ServeHTTP(rw, r)
		require.Equal(t, status, rw.Code)
		require.Contains(t, w.log.String(), "11111")
		require.Less(t, w.log.Len(), 2000)
	}
	ask(`{"inPixels":`+long+`}`, "Content-Type", "application/json", http.StatusBadRequest)
	ask("", "Content-Type", long, http.StatusUnsupportedMediaType)
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + long + `"}`))
	ask("", "Authorization", "Bearer "+header+".e30.AA", http.StatusUnauthorized)
}
