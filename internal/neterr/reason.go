// Package neterr says in plain words why a connection failed: the messages of package net name
// system calls.
package neterr

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
)

// ProxyError is a proxy that does not connect to the server behind it.
type ProxyError struct {
	// Err is why: package net's error, or the status of its answer.
	Err error
}

func (e *ProxyError) Error() string {
	return "the proxy of HTTPS_PROXY or HTTP_PROXY fails: " + cmp.Or(Reason(e.Err), e.Err.Error())
}

func (e *ProxyError) Unwrap() error { return e.Err }

// OfProxy returns the failure of the proxy on the way to a server; nil for any other error.
func OfProxy(err error) *ProxyError {
	if proxy, ok := errors.AsType[*ProxyError](err); ok {
		return proxy
	}
	if failed, ok := errors.AsType[*net.OpError](err); ok && failed.Op == "proxyconnect" {
		return &ProxyError{failed.Err}
	}
	return nil
}

// Reason returns why a connection failed; "" for any other error.
func Reason(err error) string {
	if proxy := OfProxy(err); proxy != nil {
		return proxy.Error()
	}
	var dns *net.DNSError
	switch {
	case errors.Is(err, tooMany):
		return "too many files and connections are open: the limit is the system's (ulimit -n)"
	case errors.Is(err, noPort):
		return "this machine has no free port, or not the address, for another connection"
	case errors.As(err, &dns) && (dns.IsTimeout || dns.IsTemporary):
		return fmt.Sprintf("the name %s could not be looked up", dns.Name)
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s is not known", dns.Name)
	case errors.Is(err, refused):
		return "the connection was refused: nothing listens there"
	case errors.Is(err, noNetwork), errors.Is(err, noHost):
		return "there is no route to its address"
	case errors.Is(err, TimedOut):
		return "the connection timed out: the other side does not respond"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, Reset), errors.Is(err, broken):
		return "the connection was closed before the answer was complete"
	}
	return ""
}

// WithoutURL is the error of an HTTP client's request without the URL, which may have a secret in it.
func WithoutURL(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}
