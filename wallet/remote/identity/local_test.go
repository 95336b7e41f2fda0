package identity

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAPageOfAnotherSite: a browser on the same machine reaches a loopback address for any page.
func TestAPageOfAnotherSite(t *testing.T) {
	for name, c := range map[string]struct {
		host, origin, site string
		refused            bool
	}{
		"a program":                            {host: "127.0.0.1:8935"},
		"a program on IPv6":                    {host: "[::1]:8935"},
		"a program by the name":                {host: "LocalHost"},
		"the listener's own page":              {host: "localhost:8935", origin: "http://localhost:8935", site: "same-origin"},
		"a name that resolves to 127.0.0.1":    {host: "site.example:8935", refused: true},
		"a page under such a name":             {host: "site.example:8935", origin: "http://site.example:8935", site: "same-origin", refused: true},
		"every address":                        {host: "0.0.0.0:8935", refused: true},
		"a page of another site":               {host: "127.0.0.1:8935", site: "cross-site", refused: true},
		"a page of another site by its origin": {host: "127.0.0.1:8935", origin: "https://site.example", refused: true},
		"a page of another port":               {host: "127.0.0.1:8935", origin: "http://127.0.0.1:80", refused: true},
		"a page without an origin":             {host: "127.0.0.1:8935", origin: "null", refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := request("", "")
			r.Host = c.host
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			if c.site != "" {
				r.Header.Set("Sec-Fetch-Site", c.site)
			}
			caller, err := Local{}.Identify(r)
			if c.refused {
				require.Equal(t, http.StatusForbidden, status(t, err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, Caller{Kind: KindNone}, caller)
		})
	}
}

// TestTheHostOfASocket: it names nothing, and no browser connects to one.
func TestTheHostOfASocket(t *testing.T) {
	l, err := net.Listen("unix", t.TempDir()+"/s")
	require.NoError(t, err)
	got := make(chan error, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := Local{}.Identify(r)
		got <- err
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() { require.NoError(t, server.Close()); <-ended })
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", l.Addr().String())
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial}}
	response, err := client.Get("http://signer/")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.NoError(t, <-got)
}
