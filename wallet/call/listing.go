package call

import (
	"context"
	"net/http"

	"github.com/pmctl/pmctl/wallet/runner"
)

// Listing is an app's entry in its orchestrator's list of runners, which is asked for in the
// background.
type Listing struct {
	stop  context.CancelFunc
	found chan struct{} // closed when app is set
	app   runner.Runner // the zero Runner for an app that is not listed
}

// List asks the orchestrator of a target for its runners. Close the Listing after use.
func List(ctx context.Context, client *http.Client, t Target) *Listing {
	ctx, stop := context.WithCancel(ctx)
	l := &Listing{stop: stop, found: make(chan struct{})}
	go func() {
		defer close(l.found)
		l.app = find(ctx, client, t)
	}()
	return l
}

// Close ends the request if it is under way.
func (l *Listing) Close() {
	l.stop()
	<-l.found
}

// wait returns the entry.
func (l *Listing) wait() runner.Runner {
	<-l.found
	return l.app
}

func find(ctx context.Context, client *http.Client, t Target) runner.Runner {
	list := runner.Client{HTTP: client}
	all, _ := list.Runners(ctx, t.Origin) // typeFor has the error, if it matters
	var best runner.Runner
	longest := -1
	for _, one := range all {
		if length, within := t.Within(one.URL); within && length > longest {
			best, longest = one, length
		}
	}
	return best
}
