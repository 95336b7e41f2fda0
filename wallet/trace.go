package wallet

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/pmctl/pmctl/internal/neterr"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/pay"
)

// Request is a message to another program, and how it was answered, for people who want to see
// them. Nothing in it is secret.
type Request struct {
	// To is ToNode, ToRecipient, ToAgent or ToSigner.
	To string
	// URL is where it went, without a node's path, query and user, which may be keys; of an agent
	// it is the socket's path.
	URL string
	// Methods are what was asked for at once.
	Methods []string
	// Took is how long the answer took.
	Took time.Duration
	// Err is what came instead of an answer; nil for an answer.
	Err error
}

// The recipients of a Request.
const (
	ToNode      = "node"
	ToRecipient = "recipient"
	ToAgent     = "agent"
	ToSigner    = "signer"
)

// onExchange reports messages to nodes; nil where none are reported.
func (c Config) onExchange() func(chain.Exchange) {
	if c.OnRequest == nil {
		return nil
	}
	return func(e chain.Exchange) { c.OnRequest(Request{ToNode, e.URL, e.Methods, e.Took, e.Err}) }
}

// OnPayRequest reports requests to recipients; nil where none are reported.
func (c Config) OnPayRequest() func(pay.Request) {
	if c.OnRequest == nil {
		return nil
	}
	return func(r pay.Request) {
		c.OnRequest(Request{ToRecipient, r.URL.String(), []string{r.Method}, r.Took, r.Err})
	}
}

// Observe returns a transport that sends requests by next and reports each, with its method and
// path: a query, headers and bodies may be secret. at is the URL to report, "" for the scheme and
// the host of each request. It returns next if report is nil. A nil next is http.DefaultTransport.
func Observe(next http.RoundTripper, to, at string, report func(Request)) http.RoundTripper {
	if report == nil {
		return next
	}
	next = cmp.Or(next, http.DefaultTransport)
	return &observed{next, to, at, report}
}

type observed struct {
	next   http.RoundTripper
	to, at string
	report func(Request)
}

func (o *observed) RoundTrip(request *http.Request) (*http.Response, error) {
	began := time.Now()
	response, err := o.next.RoundTrip(request)
	outcome := err
	switch {
	case err != nil:
		outcome = errors.New(cmp.Or(neterr.Reason(err), err.Error()))
	case response.StatusCode >= http.StatusMultipleChoices:
		outcome = fmt.Errorf("HTTP status %d", response.StatusCode)
	}
	at := cmp.Or(o.at, request.URL.Scheme+"://"+request.URL.Host)
	o.report(Request{o.to, at, []string{request.Method + " " + request.URL.Path}, time.Since(began), outcome})
	return response, err
}

// CloseIdleConnections closes those of next: http.Client asks for it by this name.
func (o *observed) CloseIdleConnections() { (&http.Client{Transport: o.next}).CloseIdleConnections() }
