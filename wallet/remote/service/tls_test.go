package service

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRenewedCertificates: a certificate whose key has yet to be replaced is refused with both files. One that
// has expired, or is not valid yet, is in the log.
func TestRenewedCertificates(t *testing.T) {
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	pair := func(name string, from, until time.Duration) (certificate, key string) {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until)}
		signed, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
		require.NoError(t, err)
		der, err := x509.MarshalPKCS8PrivateKey(private)
		require.NoError(t, err)
		return write(name+".pem", "CERTIFICATE", signed), write(name+".key", "PRIVATE KEY", der)
	}
	use := func(certificate, key string) string {
		config, err := LoadTLS(certificate, key, nil)
		require.NoError(t, err)
		var log bytes.Buffer
		(&served{Config: Config{Log: slog.New(slog.NewTextHandler(&log, nil))}}).use(config)
		return log.String()
	}
	valid, key := pair("valid", -time.Hour, time.Hour)
	require.Empty(t, use(valid, key))
	_, other := pair("other", -time.Hour, time.Hour)
	_, err := LoadTLS(valid, other, nil)
	require.ErrorContains(t, err, valid+" and "+other+": tls: private key does not match public key")
	for _, until := range []time.Duration{-time.Hour, 4 * time.Hour} {
		require.Contains(t, use(pair("expired", until-2*time.Hour, until)), `level=WARN msg="clients that check the server's certificate refuse it" valid_from=`)
	}
}
