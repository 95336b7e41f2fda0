package service

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Socket begins the Address of a socket in the file system.
const Socket = "unix:"

// Address is where a listener is: host:port, or Socket and a path.
func Address(l net.Listener) string {
	if l.Addr().Network() == "unix" {
		return Socket + l.Addr().String()
	}
	return l.Addr().String()
}

// IsLoopback reports whether an address can be reached from this machine alone.
func IsLoopback(address string) bool {
	if strings.HasPrefix(address, Socket) {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}

var (
	// ErrNoAuthentication is returned for a listener that others could pay through.
	ErrNoAuthentication = errors.New("without authentication")
	// ErrNoTLS is returned for a listener that others could read along.
	ErrNoTLS = errors.New("without TLS")
)

// CheckExposure refuses a listener that others can reach unless it is authenticated and encrypted.
// It fails with ErrNoAuthentication or ErrNoTLS.
func CheckExposure(address string, authenticated, encrypted bool) error {
	var missing error
	switch {
	case IsLoopback(address):
		return nil
	case !authenticated:
		missing = ErrNoAuthentication
	case !encrypted:
		missing = ErrNoTLS
	default:
		return nil
	}
	return fmt.Errorf("refusing to listen on an address that is not loopback (%s) %w", address, missing)
}
