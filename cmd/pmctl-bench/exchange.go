package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/pmctl/pmctl/pm/wire"
)

// callRows compare a paid call with the same two requests by curl, whose payment is ready; none
// without curl. The orchestrator is at its own address, and a round trip away.
func (w *world) callRows() ([]row, error) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		return nil, nil
	}
	distant, err := newProxy(w.recipient, roundTrip)
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, distant.close)
	of := func(name, orchestrator string) row {
		target := orchestrator + "/apps/fixed1/app/"
		headers := filepath.Join(w.folder, "headers")
		return row{
			name:   name,
			before: func(ctx context.Context) error { return w.recordHeaders(ctx, headers) },
			of:     w.process([]string{filepath.Join(w.folder, "pmctl"), "call", target, "-d", "hello"}, w.socket()),
			baseline: w.process([]string{
				curl, "--insecure", "--silent", "--data", "hello", "--header", "Livepeer-Payer-Address: " + w.account, target,
				"--next", "--insecure", "--silent", "--fail", "--data", "hello", "--header", "@" + headers, target,
			}),
		}
	}
	return []row{
		of("a call through the agent / by curl, paid before", w.recipient),
		of(fmt.Sprintf("a call through the agent / by curl, %v away", roundTrip), strings.Replace(distant.url, "http:", "https:", 1)),
	}, nil
}

// recordHeaders writes the headers of a payment to a file: those of a call whose paid request does
// not reach the orchestrator.
func (w *world) recordHeaders(ctx context.Context, file string) error {
	recipient, err := url.Parse(w.recipient)
	if err != nil {
		return err
	}
	var paid http.Header
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // as pmctl does
	defer transport.CloseIdleConnections()
	forward := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(recipient)
		r.Out.Host = r.In.Host
	}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get(wire.PaymentHeader) == "" {
			forward.ServeHTTP(rw, r)
			return
		}
		paid = r.Header
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	err = w.run([]string{filepath.Join(w.folder, "pmctl"), "call", "http://" + listener.Addr().String() + "/apps/fixed1/app", "-d", "hello"}, w.socket())(ctx)
	server.Close()
	<-served
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, name := range []string{wire.PaymentHeader, wire.SegmentHeader} {
		fmt.Fprintf(&text, "%s: %s\n", name, paid.Get(name))
	}
	return os.WriteFile(file, []byte(text.String()), 0o600)
}
