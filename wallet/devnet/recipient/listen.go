package recipient

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"time"
)

// loopback is the address of recipients: invisible to the network.
const loopback = "127.0.0.1"

// listeners serves one handler on two ports of the loopback interface: over TLS with a
// self-signed certificate, and without. Both speak HTTP/1.1 and HTTP/2, so that gRPC and plain
// HTTP share a port.
type listeners struct {
	secure, plain net.Listener
	server        *http.Server
	stop          context.CancelFunc
	serving       sync.WaitGroup
	requests      gate
}

// listen takes two free ports.
func listen(now time.Time) (*listeners, error) {
	certificate, err := selfSigned(now)
	if err != nil {
		return nil, fmt.Errorf("making the certificate: %w", err)
	}
	plain, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		return nil, err
	}
	secure, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		return nil, errors.Join(err, plain.Close())
	}

	ctx, stop := context.WithCancel(context.Background())
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &listeners{secure: secure, plain: plain, stop: stop, server: &http.Server{
		Protocols:         protocols,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}},
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		// The client of a connection reports its errors.
		ErrorLog: log.New(io.Discard, "", 0),
	}}, nil
}

// serve serves handler on both ports. The requests' contexts end with close.
func (l *listeners) serve(handler http.Handler) {
	l.server.Handler = l.tracked(handler)
	l.serving.Go(func() { _ = l.server.Serve(l.plain) })
	l.serving.Go(func() { _ = l.server.ServeTLS(l.secure, "", "") })
}

// tracked lets close wait for the requests in flight.
func (l *listeners) tracked(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !l.requests.enter() {
			panic(http.ErrAbortHandler) // the server's own way to drop a connection
		}
		defer l.requests.leave()
		handler.ServeHTTP(w, r)
	})
}

// gate counts the requests in flight, lets none in once it is shut, and waits until all have
// ended.
type gate struct {
	mu     sync.Mutex
	isShut bool
	inside sync.WaitGroup
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.isShut {
		return false
	}
	g.inside.Add(1)
	return true
}

func (g *gate) leave() { g.inside.Done() }

func (g *gate) shut() {
	g.mu.Lock()
	g.isShut = true
	g.mu.Unlock()
	g.inside.Wait()
}

// url is the service URI over TLS.
func (l *listeners) url() string { return "https://" + l.secure.Addr().String() }

// plainURL is the service URI without TLS.
func (l *listeners) plainURL() string { return "http://" + l.plain.Addr().String() }

// close frees both ports and waits for the requests in flight.
func (l *listeners) close() error {
	l.stop()
	err := l.server.Close()
	l.serving.Wait()
	l.requests.shut()
	return err
}

// selfSigned makes a certificate for the loopback interface that no client trusts, as usual in
// the network.
func selfSigned(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "local recipient"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(365 * 24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:  []net.IP{net.ParseIP(loopback)},
		DNSNames:     []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
