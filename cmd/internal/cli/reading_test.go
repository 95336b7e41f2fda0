package cli

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEndpoints: what no request can be made with is refused when the file is read, without what
// may be secret.
func TestEndpoints(t *testing.T) {
	read := func(text string) (string, http.Header, error) {
		path := filepath.Join(t.TempDir(), "endpoint")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return readEndpoint(&Env{Getenv: func(string) string { return "" }}, "--webhook-file", path)
	}
	address, headers, err := read(" https://user:s3cret@hook.example:8443/a?b=c%20d\r\nX-Key_1: a b\r\nAuthorization:Bearer s3cret\r\n\r\n")
	require.NoError(t, err)
	require.Equal(t, "https://user:s3cret@hook.example:8443/a?b=c%20d", address)
	require.Equal(t, http.Header{"X-Key_1": {"a b"}, "Authorization": {"Bearer s3cret"}}, headers)
	for text, says := range map[string]string{
		"":                                    "is not an http:// or https:// URL",
		"hook.example/s3cret":                 "is not an http:// or https:// URL",
		"https://":                            "must have a host",
		"https:///s3cret":                     "must have a host",
		"https://:8443/s3cret":                "must have a host",
		"https://hook .example/s3cret":        "neither spaces",
		"https://hook.example/s3cret # ours":  "neither spaces",
		"https://hook.example/#s3cret":        "a # part",
		"https://hook.example:s3cret/":        "is not valid",
		"https://hook.example/%zs3cret":       "is not valid",
		"https://hook.example\ns3cret":        "line 2 of",
		"https://hook.example\n: s3cret":      "line 2 of",
		"https://hook.example\nX Key: s3cret": "its name may have letters",
		"https://hook.example\nX: s3cret\x01": "no control characters",
	} {
		_, _, err := read(text)
		require.ErrorContains(t, err, says, text)
		require.NotContains(t, err.Error(), "s3cret", text)
	}
}
