package cmd

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestASignerReloads: limits of the config file and the auth webhook apply after a reload, all of
// them or none, no client gets past them, and what needs a restart is named.
func TestASignerReloads(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio")["token"].(string)
	home := t.TempDir()
	s.env["XDG_CONFIG_HOME"] = home
	require.NoError(t, os.Mkdir(filepath.Join(home, "pmctl"), 0o700))
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(home, name), []byte(text), 0o600))
	}
	asked := 0
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		asked++
		_ = json.NewEncoder(rw).Encode(map[string]int{"status": 200})
	}))
	defer hook.Close()
	write("hook", "http://127.0.0.1:1\n")
	r := s.serveSigner("--admin-listen 127.0.0.1:0 --webhook-file " + filepath.Join(home, "hook"))
	code, _ := r.payOnce(token, s)
	require.Equal(t, http.StatusInternalServerError, code, "the webhook is not there")

	// A file that is not valid changes nothing, of another one neither.
	write("hook", hook.URL+"\n")
	write("pmctl/config.toml", "[limits]\nmax_ticket_ev = \"5\"\n")
	status, body := r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	require.Contains(t, body, "max_ticket_ev")
	code, _ = r.payOnce(token, s)
	require.Equal(t, http.StatusInternalServerError, code, "the webhook is the one from before")
	write("hook", "none\n")
	write("pmctl/config.toml", "[limits]\nmax_ticket_ev = \"1wei\"\n")
	status, body = r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	code, _ = r.payOnce(token, s)
	require.Equal(t, http.StatusInternalServerError, code, "the limit is the one from before")

	write("hook", hook.URL+"\n")
	status, body = r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusOK, status, body)
	require.JSONEq(t, `{"applied":["limits","budgets","webhook-file"],"restart_needed":[]}`, body)
	code, answer := r.payOnce(token, s)
	require.Equal(t, http.StatusBadRequest, code, string(answer))
	require.Contains(t, string(answer), "above the limit of 1 wei (limits.max_ticket_ev of the remote signer)")
	require.NotContains(t, string(answer), home)

	write("pmctl/config.toml", "store = \"postgres://a:secret-of-a-store@127.0.0.1:1/b\"\n")
	status, body = r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"restart_needed":["store"]`)
	require.NotContains(t, body, "secret-of-a-store")
	require.NoError(t, os.Remove(filepath.Join(home, "pmctl", "config.toml")))
	status, body = r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	require.Contains(t, body, "there is no config file "+home, "its limits are not lifted by mistake")
	code, answer = r.payOnce(token, s)
	require.Equal(t, http.StatusOK, code, string(answer))
	require.Equal(t, 1, asked)
	_, log := r.stop()
	require.Contains(t, log, `"msg":"reload refused: the settings stay as they were"`)
	require.Contains(t, log, `"msg":"reloaded","applied":["limits","budgets","webhook-file"],"restart_needed":["store"]`)
	require.NotContains(t, log, "secret-of-a-store")
}

// TestAReloadEndsAnAuthority: a client whose certificate is of an authority that a reload removed is
// refused at once, also over the connection that it has. A file that is cut off is refused whole.
func TestAReloadEndsAnAuthority(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	s.run(exitDone, "signer client add studio --certificate edge")
	home := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	write := func(name string, blocks ...pem.Block) string {
		t.Helper()
		var text []byte
		for _, block := range blocks {
			text = append(text, pem.EncodeToMemory(&block)...)
		}
		require.NoError(t, os.WriteFile(filepath.Join(home, name), text, 0o600))
		return filepath.Join(home, name)
	}
	certificate := func(name string) pem.Block {
		t.Helper()
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		return pem.Block{Type: "CERTIFICATE", Bytes: der}
	}
	edge, other := certificate("edge"), certificate("other")
	authorities, private := write("ca", edge, other), write("key", pem.Block{Type: "PRIVATE KEY", Bytes: der})
	s.run(exitDone, "signer client add gateway --auth-id gw")
	r := s.serveSigner("--trusted-proxy 127.0.0.1 --admin-listen 127.0.0.1:0 --client-ca " + authorities + " --tls-cert " + write("chain", edge) + " --tls-key " + private)
	own, err := tls.LoadX509KeyPair(filepath.Join(home, "chain"), private)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{own}, InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	headers := make(http.Header)
	ask := func() (status int, kept bool) {
		t.Helper()
		request, err := http.NewRequest(http.MethodPost, strings.Replace(r.url, "http:", "https:", 1)+"/sign-orchestrator-info", nil)
		require.NoError(t, err)
		request.Header = headers
		request = request.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) { kept = got.Reused }}))
		response, err := client.Do(request)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode, kept
	}
	status, _ := ask()
	require.Equal(t, http.StatusOK, status)
	headers.Set("Signer-Auth-Id", "gw") // by a proxy whose own certificate it is
	status, _ = ask()
	require.Equal(t, http.StatusOK, status)
	headers.Del("Signer-Auth-Id")

	whole, err := os.ReadFile(authorities)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(authorities, whole[:len(whole)-100], 0o600))
	status, body := r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusUnprocessableEntity, status, body)
	require.Contains(t, body, authorities+": a block in PEM is damaged or cut off")

	write("ca", other)
	status, body = r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusOK, status, body)
	status, kept := ask()
	require.True(t, kept)
	require.Equal(t, http.StatusUnauthorized, status)
	status, kept = ask()
	require.False(t, kept, "the client may have another certificate by then")
	require.Equal(t, http.StatusUnauthorized, status)
	_, log := r.stop()
	require.Regexp(t, `"status":200,"duration_us":\d+,"client":"studio"(?s:.*)"status":200,"duration_us":\d+,"client":"gateway"`, log)
	require.Contains(t, log, "the authority that signed the client's certificate is no longer accepted")
}

// TestAReloadKeepsAnIssuersKeys: a reload while the server of the issuer's keys is down leaves the keys as they were, and
// applies all else; one after a key was withdrawn ends it.
func TestAReloadKeepsAnIssuersKeys(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	s.run(exitDone, "signer client add studio --jwt s1")
	public, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	other, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, nil)
	require.NoError(t, err)
	claims, err := json.Marshal(map[string]any{"iss": "i", "aud": "a", "sub": "s1", "exp": time.Now().Add(time.Hour).Unix()})
	require.NoError(t, err)
	signed, err := signer.Sign(claims)
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)

	var listed atomic.Pointer[jose.JSONWebKeySet]
	listed.Store(&jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public}}})
	issuer := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if set := listed.Load(); set != nil {
			_ = json.NewEncoder(rw).Encode(set)
			return
		}
		rw.WriteHeader(http.StatusBadGateway)
	}))
	defer issuer.Close()
	r := s.serveSigner("--admin-listen 127.0.0.1:0 --jwt-issuer i --jwt-audience a --jwt-keys " + issuer.URL + "/keys?secret-of-keys")
	ask := func() int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/sign-orchestrator-info", nil)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	require.Equal(t, http.StatusOK, ask())

	listed.Store(nil)
	status, body := r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusOK, status, body)
	require.JSONEq(t, `{"applied":["limits","budgets"],"restart_needed":[]}`, body)
	require.Equal(t, http.StatusOK, ask())

	listed.Store(&jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: other}}})
	status, body = r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusOK, status, body)
	require.JSONEq(t, `{"applied":["limits","budgets","jwt-keys"],"restart_needed":[]}`, body)
	require.Equal(t, http.StatusUnauthorized, ask())
	_, log := r.stop()
	require.Contains(t, log, `"msg":"the keys that were fetched before stay accepted"`)
	require.NotContains(t, log, "secret-of-keys")
}

// TestAReloadKeepsRates: a client that has used up its burst gets no other one by a reload.
func TestAReloadKeepsRates(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	token := s.run(exitDone, "signer client add studio")["token"].(string)
	const burst = 50
	r := s.serveSigner(fmt.Sprint("--admin-listen 127.0.0.1:0 --rate 1 --burst ", burst))
	began, accepted := time.Now(), 0
	ask := func() {
		for range burst {
			if code, _ := r.post("/sign-orchestrator-info", token, nil); code == http.StatusOK {
				accepted++
			}
		}
	}
	ask()
	status, body := r.watch(http.MethodPost, "/reload")
	require.Equal(t, http.StatusOK, status, body)
	ask()
	require.LessOrEqual(t, accepted, burst+1+int(time.Since(began)/time.Second))
}
