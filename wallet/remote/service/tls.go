package service

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/pmctl/pmctl/internal/pemfile"
	"github.com/pmctl/pmctl/wallet/remote/identity"
)

// LoadTLS reads a server's certificate chain and its key from PEM files. The server accepts clients'
// certificates that one of the authorities has signed; none without any.
func LoadTLS(certificateFile, keyFile string, authorities []*x509.Certificate) (*tls.Config, error) {
	certificate, err := loadPair(certificateFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("the server's certificate: %w", err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if len(authorities) > 0 {
		config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
		for _, authority := range authorities {
			config.ClientCAs.AddCert(authority)
		}
	}
	return config, nil
}

// loadPair is tls.LoadX509KeyPair, which takes what it can of a chain that is cut off.
func loadPair(certificateFile, keyFile string) (pair tls.Certificate, err error) {
	chain, err := os.ReadFile(certificateFile)
	if err != nil {
		return pair, err
	}
	if _, err := pemfile.Blocks(chain); err != nil {
		return pair, fmt.Errorf("%s: %w", certificateFile, err)
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return pair, err
	}
	if pair, err = tls.X509KeyPair(chain, key); err != nil {
		return pair, fmt.Errorf("%s and %s: %w", certificateFile, keyFile, err)
	}
	return pair, nil
}

// LoadAuthorities reads the certificates that sign those of clients from a PEM file.
func LoadAuthorities(file string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	authorities, err := identity.ParseAuthorities(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return authorities, nil
}
