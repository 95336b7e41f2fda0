// Package neterr says in plain words why a connection failed: the messages of package net name
// system calls.
package neterr

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
)

// Reason returns why a connection failed; "" for any other error.
func Reason(err error) string {
	var dns *net.DNSError
	switch {
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
