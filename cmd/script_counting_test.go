package cmd

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// startCounting serves $RPC through a proxy that counts, until the script ends. The
// script gets its URL as COUNTING.
func startCounting(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: counting")
	}
	node, err := url.Parse(ts.Getenv("RPC"))
	ts.Check(err)
	counts := new(counter)
	forward := httputil.NewSingleHostReverseProxy(node)
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/counted" {
			counts.answer(w)
			return
		}
		counts.requests.Add(1)
		forward.ServeHTTP(w, r)
	}))
	proxy.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			counts.connections.Add(1)
		}
	}
	proxy.Start()
	ts.Defer(proxy.Close)
	ts.Setenv("COUNTING", proxy.URL)
}

// counter is what came to a proxy since it was asked last.
type counter struct{ requests, connections atomic.Int32 }

// answer is asked for over a connection of its own.
func (c *counter) answer(w http.ResponseWriter) {
	w.Header().Set("Requests", strconv.Itoa(int(c.requests.Swap(0))))
	w.Header().Set("Connections", strconv.Itoa(int(c.connections.Swap(0)-1)))
}

// asked checks how often the proxy was asked since the last time, over how many
// connections: asked REQUESTS CONNECTIONS.
func asked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: asked REQUESTS CONNECTIONS")
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(ts.Getenv("COUNTING") + "/counted")
	ts.Check(err)
	ts.Check(res.Body.Close())
	requests, connections := res.Header.Get("Requests"), res.Header.Get("Connections")
	if requests != args[0] || connections != args[1] {
		ts.Fatalf("%s requests over %s connections, want %s over %s", requests, connections, args[0], args[1])
	}
}
