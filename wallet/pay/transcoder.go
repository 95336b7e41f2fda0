package pay

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
)

// TranscoderOf returns where payments go: the answer's transcoder or, without one, where it was
// asked. A recipient asked over TLS is not paid without, and a transcoder must be reachable from
// here. It returns ErrMalformed.
func TranscoderOf(asked URL, text string) (URL, error) {
	if text == "" {
		return asked, nil
	}
	transcoder, err := ParseServiceURI(text)
	if err != nil {
		return URL{}, fmt.Errorf("%w (%s): transcoder: %v", ErrMalformed, asked, err)
	}
	if asked.TLS() && !transcoder.TLS() {
		return URL{}, fmt.Errorf("%w (%s): it was asked over TLS but wants to be paid without TLS, at %s", ErrMalformed, asked, transcoder)
	}
	reason := ""
	switch {
	case transcoder.unspecified():
		reason = "which is not the address of a machine"
	case transcoder.private() && !asked.private():
		reason = "which only its own network can reach"
	default:
		return transcoder, nil
	}
	return URL{}, hint.With(hint.Kind(ErrMalformed, fmt.Errorf("the recipient at %s wants to be paid at %s, %s", asked, transcoder, reason)),
		"the recipient's -serviceAddr must be an address that senders can reach: tell its operator, or choose another recipient: pmctl recipient list")
}

func (u URL) hostname() string {
	host, _, err := net.SplitHostPort(u.host)
	if err != nil {
		return u.host
	}
	return host
}

// unspecified reports whether the host is 0.0.0.0 or ::, which servers listen on.
func (u URL) unspecified() bool {
	address, err := netip.ParseAddr(u.hostname())
	return err == nil && address.Unmap().IsUnspecified()
}

// carrierGrade are the addresses of RFC 6598, which hosts behind a provider's NAT have.
func carrierGrade() netip.Prefix { return netip.MustParsePrefix("100.64.0.0/10") }

// private reports whether the host has a meaning only within a local network.
func (u URL) private() bool {
	host := u.hostname()
	if address, err := netip.ParseAddr(host); err == nil {
		address = address.Unmap()
		return address.IsLoopback() || address.IsPrivate() || address.IsLinkLocalUnicast() || carrierGrade().Contains(address)
	}
	name := strings.TrimSuffix(host, ".")
	zones := []string{".local", ".localhost", ".internal", ".lan", ".home.arpa"}
	return !strings.Contains(name, ".") || slices.ContainsFunc(zones, func(zone string) bool { return strings.HasSuffix(name, zone) })
}
