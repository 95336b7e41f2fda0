package wallet

import (
	"time"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/pay"
)

// Request is a message to a node or to a recipient, and how it was answered, for people who
// want to see them. Nothing in it is secret.
type Request struct {
	// To is ToNode or ToRecipient.
	To string
	// URL is where it went, without a node's path, query and user, which may be keys.
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
