package cmd

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestASignerTellsNoSecret seeds a signer with secrets, has as much as possible fail, and looks for
// them in its log, its metrics, its page and its answers.
func TestASignerTellsNoSecret(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio")["token"].(string)
	secrets := map[string]string{
		"client token": token, "passphrase": "correct horse", "private key": hex.EncodeToString(crypto.FromECDSA(s.net.Accounts()[0].Key)),
		"admin token": "seeded-admin-token", "webhook URL": "seeded-hook-path", "webhook header": "seeded-hook-header",
		"collector URL": "seeded-collector-path", "node URL": "seeded-node-path", "node password": "seeded-node-password",
		"unknown token": "pmctl_seeded-unknown-token", "JSON Web Token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzZWVkZWQifQ.seeded",
		"keys' password": "seeded-keys-password", "keys' URL": "seeded-keys-path",
	}
	// The node is asked under a URL with secrets, and can be made to fail.
	behind, err := url.Parse(s.net.RPCURL())
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL = behind }}
	down := make(chan struct{})
	node := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		select {
		case <-down:
			http.Error(rw, "denied: "+r.URL.String(), http.StatusForbidden)
		default:
			proxy.ServeHTTP(rw, r)
		}
	}))
	defer node.Close()
	dir := t.TempDir()
	file := func(name string, lines ...string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
		return path
	}
	hook := file("hook", "http://127.0.0.1:1/seeded-hook-path", "Authorization: seeded-hook-header")
	nodeURL := strings.Replace(node.URL, "http://", "http://user:seeded-node-password@", 1) + "/seeded-node-path"
	r := s.serveSigner("--admin-listen 127.0.0.1:0 --max-head-age 1s --admin-token-file " + file("token", "seeded-admin-token") +
		" --webhook-file " + hook + " --usage-file " + file("usage", "http://127.0.0.1:1/seeded-collector-path") + " --rpc-url " + nodeURL +
		" --jwt-issuer i --jwt-audience a --jwt-keys http://user:seeded-keys-password@127.0.0.1:1/keys?seeded-keys-path")
	var told strings.Builder
	_, body := r.payOnce(token, s)
	told.Write(body)
	segment := base64.RawURLEncoding.EncodeToString
	unverified := segment([]byte(`{"alg":"RS256"}`)) + "." + segment([]byte(`{"iss":"i","aud":"a","sub":"studio","exp":1e10}`)) + "." + segment([]byte("none"))
	for _, credentials := range []string{"", secrets["unknown token"], secrets["JSON Web Token"], unverified} {
		_, body = r.post("/generate-live-payment", credentials, map[string]any{"orchestrator": []byte(token)})
		told.Write(body)
	}
	require.NoError(t, os.WriteFile(hook, []byte("seeded-hook-path\nseeded-hook-header\n"), 0o600))
	admin := []string{"Authorization", "Bearer seeded-admin-token"}
	_, text := r.watch(http.MethodPost, "/reload", admin...)
	told.WriteString(text)
	close(down)
	require.Eventually(t, func() bool {
		status, _ := r.watch(http.MethodGet, "/readyz", admin...)
		return status == http.StatusServiceUnavailable
	}, time.Minute, 50*time.Millisecond)
	for _, path := range []string{"/", "/readyz", "/metrics", "/runway.svg", "/healthz"} {
		_, text := r.watch(http.MethodGet, path, admin...)
		told.WriteString(text)
	}
	require.Contains(t, told.String(), "chain")
	_, log := r.stop()
	told.WriteString(log)
	require.Contains(t, log, "reload refused")
	require.Contains(t, log, "cannot fetch the keys of the JSON Web Tokens' issuer from 127.0.0.1:1: the connection was refused")
	for what, secret := range secrets {
		at := strings.Index(told.String(), secret)
		if at >= 0 {
			t.Errorf("the output shows the %s: …%s", what, told.String()[max(0, at-200):at+len(secret)])
		}
	}
}
