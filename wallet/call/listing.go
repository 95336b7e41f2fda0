package call

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync"

	"github.com/pmctl/pmctl/wallet/runner"
)

// Listing is an app's entry in its orchestrator's list of runners, which is asked for in the
// background.
type Listing struct {
	stop context.CancelFunc
	// sent is closed when the request is on a connection, which others over HTTP/2 then share, or has ended.
	sent  chan struct{}
	found chan struct{} // closed when app and err are set
	app   runner.Runner // the zero Runner for an app that is not listed
	err   error
}

// List asks the orchestrator of a target for its runners. Close the Listing after use.
func List(ctx context.Context, client *http.Client, t Target) *Listing {
	ctx, stop := context.WithCancel(ctx)
	l := &Listing{stop: stop, sent: make(chan struct{}), found: make(chan struct{})}
	sent := sync.OnceFunc(func() { close(l.sent) })
	go func() {
		defer close(l.found)
		defer sent()
		l.app, l.err = find(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: sent}), client, t)
	}()
	return l
}

// Close ends the request if it is under way.
func (l *Listing) Close() {
	l.stop()
	<-l.found
}

// wait returns the entry, or why there is no list.
func (l *Listing) wait() (runner.Runner, error) {
	<-l.found
	return l.app, l.err
}

func find(ctx context.Context, client *http.Client, t Target) (runner.Runner, error) {
	// What the call costs may depend on it, so it has the time of the orchestrator's other answers.
	list := runner.Client{HTTP: client, Patience: answerTimeout}
	all, err := list.Runners(ctx, t.Origin)
	app, _ := t.Among(all)
	return app, err
}
