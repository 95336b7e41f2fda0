package pay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/store"
)

// requireNginx names the environment variable that turns skipping into failing where nginx
// is not installed.
const requireNginx = "PMCTL_REQUIRE_NGINX"

// TestBehindNginx pays a recipient behind nginx with its default settings, which take a
// header of 8 KB: by default no header is too large, and a header that is teaches the limit.
func TestBehindNginx(t *testing.T) {
	program := nginxProgram(t)
	for name, overTLS := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			w := largeWorld(t)
			if !overTLS {
				w.plain(t)
			}
			u := startNginx(t, program, w.session.URL, overTLS)
			limits := &HeaderLimits{}
			w.session.Client.Headers = limits
			w.through(t, u)
			paid, err := w.session.Pay(t.Context(), Amount{Count: 150})
			require.NoError(t, err)
			require.Equal(t, 3, paid.Sent)
			require.EqualValues(t, 150, w.accepted(t))
			require.Equal(t, DefaultMaxHeader, limits.For(u), "nothing was refused")

			limits.Asked = 30000 // HTTP/2 compresses what nginx counts
			w.session.Request = &store.Request{ID: "large", Digest: "digest"}
			w.through(t, u)
			paid, err = w.session.Pay(t.Context(), Amount{Count: 200})
			require.NoError(t, err)
			require.EqualValues(t, 200, paid.Total().Tickets)
			require.EqualValues(t, 350, w.accepted(t))
			require.Greater(t, paid.Sent, len(paid.Parts), "a header was too large")
			require.Less(t, limits.For(u), 12000)
		})
	}
}

func nginxProgram(t *testing.T) string {
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx"
		_, err = os.Stat(program)
	}
	if err != nil && os.Getenv(requireNginx) == "" {
		t.Skip("skipped: nginx is not installed")
	}
	require.NoError(t, err)
	return program
}

// startNginx has nginx pass on to a recipient what comes to the URL that it returns, until
// the test ends.
func startNginx(t *testing.T, program string, behind URL, overTLS bool) URL {
	t.Helper()
	dir, err := os.MkdirTemp("", "pmctl-nginx-")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	listen, scheme := "listen "+address+";", "http"
	if overTLS {
		writeCertificate(t, dir)
		listen, scheme = fmt.Sprintf("listen %s ssl http2; ssl_certificate %[2]s/cert; ssl_certificate_key %[2]s/key;", address, dir), "https"
	}
	temp := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temp += fmt.Sprintf("%s_temp_path %s/%s; ", kind, dir, kind)
	}
	config := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/errors;
events { }
http {
	access_log off; %[2]s
	server { %[3]s location / { proxy_pass %[4]s; proxy_http_version 1.1; } }
}
`, dir, temp, listen, behind)), 0o600))
	cmd := exec.Command(program, "-p", dir, "-e", filepath.Join(dir, "errors"), "-c", config)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(20 * time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return parse(t, scheme+"://"+address)
		}
		require.True(t, time.Now().Before(end), "nginx does not listen: %v", err)
		<-time.After(10 * time.Millisecond)
	}
}

// writeCertificate writes a self-signed certificate and its key into a folder.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: certificate}, "key": {Type: "PRIVATE KEY", Bytes: private}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
}
