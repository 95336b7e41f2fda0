package identity

import (
	"net"
	"net/http"

	"github.com/pmctl/pmctl/internal/loopback"
	"github.com/pmctl/pmctl/wallet/live"
)

// Local takes requests without credentials from programs on this machine, whose listener must be on a
// loopback address or a socket. It refuses what a browser sends for a page of another site, which could
// have its own server paid: the page names the listener by a host of that site's, which resolves to a
// loopback address, or the browser says where the page is from.
type Local struct{}

var (
	errHost   = live.Refuse(http.StatusForbidden, "without credentials the signer is addressed as localhost or by a loopback address")
	errOrigin = live.Refuse(http.StatusForbidden, "the request is of a web page of another site, which needs credentials")
)

// Identify implements Identifier.
func (Local) Identify(r *http.Request) (Caller, error) {
	switch own, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr); {
	case own != nil && own.Network() == "unix": // no browser connects to one
	case !loopback.IsHost(r.Host):
		return Caller{}, errHost
	case http.NewCrossOriginProtection().Check(r) != nil:
		return Caller{}, errOrigin
	}
	return Caller{Kind: KindNone}, nil
}
