package cmd

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestAWebPagePaysNothing: a signer without authentication pays for programs on its machine, and not for
// pages that a browser on it shows.
func TestAWebPagePaysNothing(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	r := s.serveSigner("--no-auth --admin-listen 127.0.0.1:0")
	ask := func(url, host, origin string) int {
		request, err := http.NewRequest(http.MethodPost, url, nil)
		require.NoError(t, err)
		request.Host = host
		if origin != "" {
			request.Header.Set("Origin", origin)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	for _, url := range []string{r.url + "/sign-orchestrator-info", r.url + "/generate-live-payment", r.admin + "/reload"} {
		require.Equal(t, http.StatusForbidden, ask(url, "site.example", "http://site.example"), "its name resolves to 127.0.0.1")
		require.Equal(t, http.StatusForbidden, ask(url, "", "https://site.example"))
	}
	require.Equal(t, http.StatusOK, ask(r.url+"/sign-orchestrator-info", "", ""))
}
