package runner

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/remote/client"
)

// TestAListOfASigner: apps that cannot be used are left out; the token goes to the signer alone.
func TestAListOfASigner(t *testing.T) {
	const list = `[{"address":"https://o:1","score":1,"capabilities":["a"],"runners":[
		{"url":"https://o:1/apps/a/app","app":"a","mode":"single-shot","price_info":{"price":1,"currency":"wei","unit":"fixed"}},
		{"url":"https://o:1/apps/b/app","app":"b","mode":"single-shot","price_info":{"price":1,"currency":"usd","unit":"fixed"}}]}]`
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	status, age := http.StatusOK, "90"
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/discover-orchestrators", r.URL.Path)
		require.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
		rw.Header().Set("Age", age)
		rw.Header().Set("Location", other.URL)
		rw.WriteHeader(status)
		_, _ = rw.Write([]byte(list))
	}))
	defer server.Close()

	signer, err := client.New(server.URL+"/", "secret")
	require.NoError(t, err)
	listed, old, err := Orchestrators(t.Context(), signer)
	require.NoError(t, err)
	require.Equal(t, 90*time.Second, old)
	require.Len(t, listed, 1)
	require.Len(t, listed[0].Runners, 1)
	require.Equal(t, "a", listed[0].Runners[0].App)

	for code, want := range map[int]string{
		http.StatusFound: "", http.StatusUnauthorized: "--signer-token-file", http.StatusNotFound: "--orchestrators", http.StatusServiceUnavailable: "a few seconds",
	} {
		status, age = code, "x"
		_, _, err = Orchestrators(t.Context(), signer)
		said, _ := hint.Of(err)
		require.Contains(t, said, want)
		require.NotContains(t, err.Error(), "secret")
	}
	require.Empty(t, elsewhere, "a redirect is not followed")
}
