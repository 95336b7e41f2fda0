// Package loopback reports whether an HTTP request was addressed to this machine. A web page of another
// site can have a browser send requests to a loopback address under a name of that site's.
package loopback

import (
	"net"
	"net/netip"
	"strings"
)

// IsHost reports whether a request's Host is localhost or a loopback address, with or without a port.
func IsHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && address.IsLoopback() || strings.EqualFold(host, "localhost")
}
