package identity

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/wallet/live"
)

// authIDHeader is how a proxy that authenticates passes on the identity.
const authIDHeader = "Signer-Auth-Id"

// Proxies takes the auth id that a trusted proxy sets, client:subject. From any other address
// the header is refused: its sender could pay in the name of others.
type Proxies struct{ Trusted []netip.Prefix }

// ParseProxies reads addresses and prefixes of trusted proxies.
func ParseProxies(texts []string) (Proxies, error) {
	var p Proxies
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if address, single := netip.ParseAddr(text); single == nil {
			prefix, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return Proxies{}, fmt.Errorf("%q is not an IP address or a prefix such as 10.0.0.0/8", text)
		}
		if prefix.Addr().Is4In6() {
			const mapped = 96
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), max(0, prefix.Bits()-mapped))
		}
		if prefix.Bits() == 0 {
			return Proxies{}, fmt.Errorf("%q is every address: any caller could pay in the name of others", text)
		}
		p.Trusted = append(p.Trusted, prefix)
	}
	return p, nil
}

// Identify implements Identifier.
func (p Proxies) Identify(r *http.Request) (Caller, error) {
	if _, err := p.Strangers().Identify(r); !errors.Is(err, ErrNoCredentials) {
		return Caller{}, err
	}
	ids := r.Header.Values(authIDHeader)
	switch {
	case len(ids) == 0:
		return Caller{}, ErrNoCredentials
	case len(ids) > 1:
		return Caller{}, live.Refuse(http.StatusUnauthorized, "%s is set %d times", authIDHeader, len(ids))
	}
	client, subject, _ := strings.Cut(ids[0], ":")
	if client == "" {
		return Caller{}, live.Refuse(http.StatusUnauthorized, "%s names no client", authIDHeader)
	}
	return Caller{KindProxy, client, subject}, nil
}

// Strangers refuses the header from any other address, and identifies none. It comes before other
// credentials, which must not let the header pass: an auth webhook gets all headers of a request.
func (p Proxies) Strangers() Identifier { return strangers{p} }

type strangers struct{ Proxies }

// Identify implements Identifier.
func (s strangers) Identify(r *http.Request) (Caller, error) {
	if len(r.Header.Values(authIDHeader)) > 0 && !s.trusts(r.RemoteAddr) {
		return Caller{}, live.Refuse(http.StatusForbidden, "only a trusted proxy may set %s", authIDHeader)
	}
	return Caller{}, ErrNoCredentials
}

func (p Proxies) trusts(address string) bool {
	from, err := netip.ParseAddrPort(address)
	return err == nil && slices.ContainsFunc(p.Trusted, func(prefix netip.Prefix) bool { return prefix.Contains(from.Addr().Unmap()) })
}
