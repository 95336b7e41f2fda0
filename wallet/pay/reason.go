package pay

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/neterr"
)

// networkError is a failed request whose text is pmctl's own: the messages of network libraries
// name frames, prefaces and contexts, which do not help a user.
func networkError(err error, reason string) error { return hint.Kind(err, errors.New(reason)) }

// reasonOf says why a request failed that had the given timeout.
func reasonOf(err error, timeout time.Duration) string {
	late := isTimeout(err)
	var errno syscall.Errno
	switch reason := neterr.Reason(err); {
	case (errors.Is(err, errHandshake) || alertOf(err) != nil) && !late:
		return "the TLS handshake failed: " + tlsReason(err)
	case reason != "":
		return reason
	case late:
		return fmt.Sprintf("no answer within %s", duration.Text(timeout))
	case errors.As(err, &errno):
		return "the connection failed: " + errno.Error()
	}
	return "the connection failed"
}

// tlsReason returns a TLS alert, or a local TLS error, without the library's prefix.
func tlsReason(err error) string {
	switch {
	case errors.As(err, new(tls.RecordHeaderError)):
		return "the server does not speak TLS"
	case alertOf(err) != nil:
		return "the server refused it: " + strings.TrimPrefix(alertOf(err).Error(), "tls: ")
	case errors.Is(err, io.EOF), errors.Is(err, neterr.Reset):
		return "the server closed the connection"
	}
	return OneLine(strings.TrimPrefix(err.Error(), "tls: "))
}

// unavailable says, by gRPC's error text, why a server that speaks HTTP/2 gave no answer of its own.
func unavailable(text string) string {
	if status := httpStatus(text); status != "" {
		return "a proxy answers instead of it, with HTTP status " + status
	}
	return cutOff
}

// cutOff is the reason of an answer of which the end is missing.
const cutOff = "the connection was closed before the answer was complete"

// isCutOff reports, by gRPC's error text, whether a server broke off its answer.
func isCutOff(text string) bool {
	return strings.HasPrefix(text, "stream terminated by RST_STREAM") || strings.HasPrefix(text, "error reading from server: ")
}

// isUnsent reports, by gRPC's error text, whether a server closed the connection before a request was written.
func isUnsent(text string) bool { return strings.HasPrefix(text, "write tcp ") }

// httpStatus is the one in gRPC's error text; "" for none.
func httpStatus(text string) string {
	found := regexp.MustCompile(`HTTP status code received from server: (\d{3})`).FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	return found[1]
}

// otherProtocol says, by gRPC's error text, what a server that does not speak gRPC answers with.
func otherProtocol(text string) string {
	if status := httpStatus(text); status != "" {
		return "; it answers with HTTP status " + status
	}
	if strings.Contains(text, "looked like an HTTP/1.1 header") {
		return "; it speaks HTTP/1.1"
	}
	return ""
}
