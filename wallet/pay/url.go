package pay

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// DefaultPort is the port of a recipient's URL without one.
const DefaultPort = 8935

// ErrURL is returned for text that is not a recipient's URL.
var ErrURL = errors.New("not a recipient's URL")

// URL is the address of a recipient: scheme, host and port, and nothing else, since gRPC has no
// place for more. URLs can be compared with ==.
type URL struct{ scheme, host string }

// ParseURL parses https://host[:port], host:port for the same or, for a recipient without TLS,
// http://host[:port]. The default port is 8935, and one slash may follow. Anything else is refused
// with ErrURL: a user name would end up in logs, and a path, query or fragment would be dropped on
// half of the requests.
func ParseURL(text string) (URL, error) {
	if isHostPort(strings.TrimSuffix(text, "/")) {
		text = "https://" + text
	}
	return parseURL(text, strconv.Itoa(DefaultPort), strconv.Itoa(DefaultPort))
}

// isHostPort reports whether text is host:port, as go-livepeer's -orchAddr takes it.
func isHostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	return err == nil && host != "" && port != "" && strings.Trim(port, "0123456789") == ""
}

// ParseServiceURI parses a URL as recipients publish it, in the service registry or as their
// transcoder. Without a port it has the scheme's own, 443 or 80, since senders use the text as it
// is. It refuses anything else with ErrURL, as ParseURL does.
func ParseServiceURI(text string) (URL, error) { return parseURL(text, "443", "80") }

func parseURL(text, tlsPort, plainPort string) (URL, error) {
	fail := func(format string, args ...any) (URL, error) {
		return URL{}, fmt.Errorf("%w: %s; write it as https://host:%d or host:%d", ErrURL, fmt.Sprintf(format, args...), DefaultPort, DefaultPort)
	}
	// The text may contain a password, so errors do not repeat it.
	if strings.Contains(text, "@") {
		return fail("it has a user name or password")
	}
	u, err := url.Parse(text)
	if err != nil {
		return fail("it does not parse as a URL")
	}
	scheme := strings.ToLower(u.Scheme)
	switch {
	case scheme != "https" && scheme != "http":
		return fail("%.80q does not begin with https:// or http://", text)
	case u.Hostname() == "":
		return fail("%.80q has no host", text)
	case u.Path != "" && u.Path != "/":
		return fail("it has the path %.80q", u.Path)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#"):
		return fail("it has a query or a fragment")
	}
	port := tlsPort
	if scheme == "http" {
		port = plainPort
	}
	if given := u.Port(); given != "" {
		number, err := strconv.ParseUint(given, 10, 16)
		if err != nil || number == 0 {
			return fail("port %.20q is not 1 to 65535", given)
		}
		port = strconv.FormatUint(number, 10)
	}
	host := strings.ToLower(u.Hostname())
	if strings.ContainsFunc(host, func(r rune) bool { return r == '%' || !unicode.IsGraphic(r) || unicode.IsSpace(r) }) {
		return fail("its host %.80q has blanks or a zone", host)
	}
	if len(host) > maxHost {
		return fail("its host %.40q… has %d characters, at most %d can be a name", host, len(host), maxHost)
	}
	return URL{scheme, net.JoinHostPort(host, port)}, nil
}

// maxHost is the longest DNS name (RFC 1035).
const maxHost = 253

func (u URL) withScheme(scheme string) URL { return URL{scheme, u.host} }

// String returns the URL as scheme://host:port.
func (u URL) String() string { return u.scheme + "://" + u.host }

// TLS reports whether the recipient is reached over TLS.
func (u URL) TLS() bool { return u.scheme == "https" }
