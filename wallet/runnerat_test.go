package wallet

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/call"
)

// TestRunnerAt returns the app that a call of the URL pays: of several above it, the nearest.
func TestRunnerAt(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		const price = `"mode":"single-shot","price_info":{"price":1,"currency":"wei","unit":"fixed"}`
		_, _ = io.WriteString(w, `[{"url":"/apps/a","app":"outer",`+price+`},{"url":"/apps/a/b","app":"inner",`+price+`}]`)
	}))
	defer server.Close()
	for path, app := range map[string]string{"/apps/a": "outer", "/apps/a/b/c": "inner"} {
		target, err := call.ParseTarget(server.URL + path)
		require.NoError(t, err)
		found, err := RunnerAt(t.Context(), Config{}, target)
		require.NoError(t, err)
		require.Equal(t, app, found.App)
	}
	target, err := call.ParseTarget(server.URL + "/apps/other")
	require.NoError(t, err)
	_, err = RunnerAt(t.Context(), Config{}, target)
	require.ErrorIs(t, err, ErrNoRunner)
}
