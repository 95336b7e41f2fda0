package runner

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/wallet/pay"
)

func TestCandidatesOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "orchestrators")
	read := File(path)
	_, err := read(t.Context())
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = File(filepath.Dir(path))(t.Context())
	require.ErrorIs(t, err, input.ErrFolder, "opened as one that ends with its context")
	require.NoError(t, os.WriteFile(path, []byte("# ours\n\nhttps://a:1\r\n  b:2\n"), 0o600))
	got, err := read(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Candidate{{urlOf(t, "https://a:1"), 1}, {urlOf(t, "https://b:2"), 1}}, got)

	require.NoError(t, os.WriteFile(path, []byte("https://a:1\nftp://b\n"), 0o600))
	_, err = read(t.Context())
	require.ErrorIs(t, err, pay.ErrURL)
	require.ErrorContains(t, err, "line 2 of "+path)
	require.NotContains(t, err.Error(), "ftp://b") // it could be a passphrase
	require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("#\n", maxCandidates)), 0o600))
	_, err = read(t.Context())
	require.ErrorContains(t, err, path+": it has more than 1048576 bytes")

	// A long comment ends nothing.
	require.NoError(t, os.WriteFile(path, []byte("https://a:1\n#"+strings.Repeat("x", 100_000)+"\nhttps://b:2"), 0o600))
	got, err = read(t.Context())
	require.NoError(t, err)
	require.Len(t, got, 2)
}

// TestCandidatesOfAWebhook: entries that are no URL are left out, and no error has the webhook's
// URL, which may be secret.
func TestCandidatesOfAWebhook(t *testing.T) {
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		require.Equal(t, "Bearer s3cret", r.Header.Get("Authorization"))
		if answer == "" {
			rw.WriteHeader(http.StatusBadGateway)
		}
		fmt.Fprint(rw, answer)
	}))
	ask := Webhook(server.URL+"/list?key=s3cret", http.Header{"Authorization": {"Bearer s3cret"}}, http.DefaultClient)
	answer = `[{"address":"https://a:1"},{"address":"ftp://b"},{"address":"https://c:3","score":0.5,"more":1}]`
	got, err := ask(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Candidate{{urlOf(t, "https://a:1"), 1}, {urlOf(t, "https://c:3"), 0.5}}, got)
	for _, bad := range []string{"", "{}", "[", "[" + strings.Repeat(`{},`, maxCandidates)} {
		answer = bad
		_, err := ask(t.Context())
		require.ErrorContains(t, err, "orchestrator webhook: ")
		require.NotContains(t, err.Error(), "s3cret")
		require.NotRegexp(t, "json|request body", err.Error())
	}
	elsewhere := httptest.NewServer(http.RedirectHandler(server.URL, http.StatusFound))
	defer elsewhere.Close()
	_, err = Webhook(elsewhere.URL, http.Header{"X-Api-Key": {"s3cret"}}, nil)(t.Context())
	require.ErrorContains(t, err, "HTTP status 302 Found", "another server would get the key")
	server.Close()
	_, err = ask(t.Context())
	require.ErrorContains(t, err, "orchestrator webhook: ")
	require.NotContains(t, err.Error(), "s3cret")
}
