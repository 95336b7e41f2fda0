package runner

import (
	"context"
	"errors"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/wallet/pay"
)

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
