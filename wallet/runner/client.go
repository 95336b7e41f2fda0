package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/internal/neterr"
	"github.com/pmctl/pmctl/wallet/pay"
)

const (
	// patience is how long one of many orchestrators may take to list its runners.
	patience = 2 * time.Second

	maxList = 1 << 20
)

// Client asks orchestrators for their runners.
type Client struct {
	// HTTP sends the requests; nil is a client that accepts the self-signed certificates of
	// orchestrators.
	HTTP *http.Client

	// Patience is how long an orchestrator may take to list its runners; 0 is two seconds.
	Patience time.Duration
}

// StatusError is an HTTP status instead of a list.
type StatusError struct {
	Code int
	Text string
}

func (e *StatusError) Error() string { return "HTTP status " + e.Text }

// within bounds a request. The error of one that times out names the bound, which is the program's own
// and no --timeout.
func within(ctx context.Context, bound time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, bound, fmt.Errorf("no answer within %s", duration.Text(bound)))
}

// inTime is the error of a request that limited bounds: HTTP/2 leaves the bound out.
func inTime(limited context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return context.Cause(limited)
	}
	return neterr.WithoutURL(err)
}

// readAll reads an answer. One that ended with the bound is none: a server that sees its client go ends
// what it has begun, and half of it would be malformed.
func readAll(limited context.Context, r io.Reader, most int64) ([]byte, error) {
	text, err := input.ReadAll(r, most)
	return text, cmp.Or(err, limited.Err())
}

// Runners returns what an orchestrator offers and a client can use. It fails with ctx's error, with
// pay.ErrUnreachable for an orchestrator that does not answer, and with a *StatusError of status 404 for one
// that has no live runners.
func (c *Client) Runners(ctx context.Context, u pay.URL) ([]Runner, error) {
	limited, cancel := within(ctx, cmp.Or(c.Patience, patience))
	defer cancel()
	fail := func(err error) ([]Runner, error) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, hint.Kind(err, fmt.Errorf("cannot list the runners of the orchestrator at %s: %s", u, cmp.Or(neterr.Reason(err), err.Error())))
	}
	silent := func(err error) ([]Runner, error) { return fail(hint.Kind(pay.ErrUnreachable, inTime(limited, err))) }
	request, err := http.NewRequestWithContext(limited, http.MethodGet, u.String()+"/discovery", nil)
	if err != nil {
		return fail(err)
	}
	client := c.HTTP
	if client == nil {
		client = pay.HTTPClient()
		defer client.CloseIdleConnections()
	}
	response, err := client.Do(request)
	if err != nil {
		return silent(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fail(&StatusError{response.StatusCode, response.Status})
	}
	body, err := readAll(limited, response.Body, maxList)
	var listed []json.RawMessage
	switch {
	case errors.As(err, new(*input.TooLongError)):
		return fail(fmt.Errorf("%w: %w", pay.ErrMalformed, err))
	case err != nil:
		return silent(err)
	case json.Unmarshal(body, &listed) != nil:
		return fail(fmt.Errorf("%w: it is not a list of runners", pay.ErrMalformed))
	}
	runners := make([]Runner, 0, len(listed))
	for _, raw := range listed {
		var r Runner
		// One that cannot be used says nothing about the others.
		if json.Unmarshal(raw, &r) == nil && r.check() == nil {
			runners = append(runners, r)
		}
	}
	return runners, nil
}

// Answer is what one orchestrator lists, or why it lists nothing.
type Answer struct {
	URL     pay.URL
	Runners []Runner
	Err     error
}

// Ask asks several orchestrators side by side. The answers are in the order of the URLs, one
// for each that differs.
func (c *Client) Ask(ctx context.Context, urls []pay.URL) []Answer {
	answers := make([]Answer, 0, len(urls))
	seen := make(map[pay.URL]bool, len(urls))
	for _, u := range urls {
		if !seen[u] {
			seen[u] = true
			answers = append(answers, Answer{URL: u})
		}
	}
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i := range answers {
		group.Go(func() error {
			a := &answers[i]
			if a.Runners, a.Err = c.Runners(ctx, a.URL); hasNone(a.Err) {
				a.Err = nil
			}
			return nil
		})
	}
	_ = group.Wait() // each answer has its own error
	return answers
}

// hasNone reports whether an orchestrator answered as those without runners do.
func hasNone(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Code == http.StatusNotFound
}
