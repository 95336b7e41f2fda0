package nodes

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/neterr"
)

// A proxy on the way to a node is not the node: its key cannot be wrong there.
func TestAProxyIsNotTheNode(t *testing.T) {
	const at, status = "https://node.example/…", "407 Proxy Authentication Required"
	n := &judge{shown: at}
	for says, fault := range map[string]*NodeError{
		"a proxy refuses access with HTTP status " + status:              n.byStatus(&http.Response{StatusCode: http.StatusProxyAuthRequired, Status: status}, nil),
		"the proxy of HTTPS_PROXY or HTTP_PROXY fails: status " + status: noConnection(at, &neterr.ProxyError{Err: errors.New("status " + status)}),
	} {
		require.EqualError(t, fault, "the RPC node cannot be reached: "+at+": "+says)
		require.Equal(t, "check the proxy of HTTPS_PROXY or HTTP_PROXY", fault.Hint())
	}
}
