package wallet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/remote/client"
	"github.com/pmctl/pmctl/wallet/runner"
)

// RunnerQuery says which live runners are listed.
type RunnerQuery struct {
	// Of are the orchestrators that are asked; none are all active ones of both registries.
	Of []pay.Target

	// Signer, if set, is asked instead of the orchestrators.
	Signer *client.Client

	// App, if set, is the only app that is listed.
	App string

	// MaxPrices are the highest prices; runners with another unit are left out.
	MaxPrices live.MaxPrices
}

// RunnerOffer is a live runner that an orchestrator offers.
type RunnerOffer struct {
	runner.Runner

	// Orchestrator is the URL that lists it.
	Orchestrator string

	// Age is how old the listing may be; 0 where the orchestrator was asked.
	Age time.Duration
}

// RunnerList is what orchestrators offer.
type RunnerList struct {
	// Offers are sorted by what an hour costs; those paid by the call follow, by their price.
	Offers []RunnerOffer

	// Asked is how many orchestrators were asked, or listed by the signer. Failed are the errors of
	// those that did not answer, of ClassUnreachable.
	Asked  int
	Failed []error
}

// Err fails with what kept orchestrators from answering, if that was all of them.
func (l *RunnerList) Err() error {
	if len(l.Failed) == 0 || len(l.Failed) < l.Asked {
		return nil
	}
	return l.Failed[0]
}

// ErrNoRunner is returned for a URL at which the orchestrator lists no runner.
var ErrNoRunner = errors.New("no such live runner")

// Runners lists live runners. Orchestrators that do not answer are in Failed. It returns the errors
// of Recipients and of runner.Orchestrators.
func Runners(ctx context.Context, c Config, q RunnerQuery) (*RunnerList, error) {
	c = c.withDefaults()
	ctx, cancel := c.bound(ctx)
	defer cancel()
	found, err := q.ask(ctx, c)
	if err != nil {
		return nil, err
	}
	found.Offers = slices.DeleteFunc(found.Offers, func(o RunnerOffer) bool {
		return q.App != "" && o.App != q.App || !isPaid(o.Price, q.MaxPrices)
	})
	slices.SortStableFunc(found.Offers, byPrice)
	return found, nil
}

// runnerClient asks orchestrators for their runners.
func (c Config) runnerClient() *runner.Client {
	http := pay.HTTPClient()
	http.Transport = Observe(http.Transport, ToRecipient, "", c.OnRequest)
	return &runner.Client{HTTP: http}
}

// RunnerAt returns the live runner that is called at a URL, as its orchestrator lists it. It fails
// with call.ErrURL for a target without a URL, with ErrNoRunner, and with an error of ClassUnreachable if
// the orchestrator lists none.
func RunnerAt(ctx context.Context, c Config, to call.Target) (*RunnerOffer, error) {
	if to.URL == nil {
		return nil, fmt.Errorf("%w: the target has none", call.ErrURL)
	}
	ctx, cancel := c.withDefaults().bound(ctx)
	defer cancel()
	answer := c.runnerClient().Ask(ctx, []pay.URL{to.Origin})[0]
	if answer.Err != nil {
		return nil, hint.Kind(ClassUnreachable, answer.Err)
	}
	if r, found := to.Among(answer.Runners); found {
		return &RunnerOffer{Runner: r, Orchestrator: to.Origin.String()}, nil
	}
	return nil, hint.With(fmt.Errorf("%w: %v does not list one at %s", ErrNoRunner, to.Origin, cmp.Or(to.URL.Path, "/")), "pmctl runner list %v shows its apps", to.Origin)
}

// ask lists all runners, unsorted.
func (q *RunnerQuery) ask(ctx context.Context, c Config) (*RunnerList, error) {
	if q.Signer != nil {
		return q.askSigner(ctx)
	}
	urls, err := q.urls(ctx, c)
	if err != nil {
		return nil, err
	}
	defer c.UI.Progress(func() string { return fmt.Sprintf("asking %d orchestrators", len(urls)) })()
	answers := c.runnerClient().Ask(ctx, urls)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	found := &RunnerList{Asked: len(answers)}
	for _, a := range answers {
		if a.Err != nil {
			found.Failed = append(found.Failed, hint.Kind(ClassUnreachable, a.Err))
		}
		for _, r := range a.Runners {
			found.Offers = append(found.Offers, RunnerOffer{Runner: r, Orchestrator: a.URL.String()})
		}
	}
	return found, nil
}

func (q *RunnerQuery) askSigner(ctx context.Context) (*RunnerList, error) {
	orchestrators, age, err := runner.Orchestrators(ctx, q.Signer)
	if err != nil {
		return nil, err
	}
	found := &RunnerList{Asked: len(orchestrators)}
	for _, o := range orchestrators {
		for _, r := range o.Runners {
			found.Offers = append(found.Offers, RunnerOffer{Runner: r, Orchestrator: o.Address, Age: age})
		}
	}
	return found, nil
}

// urls are those of the orchestrators to ask. Only for addresses, or for all, a node is asked.
func (q *RunnerQuery) urls(ctx context.Context, c Config) (urls []pay.URL, err error) {
	byURL := func(to pay.Target) bool { return to.Address == (common.Address{}) }
	if len(q.Of) > 0 && !slices.ContainsFunc(q.Of, func(to pay.Target) bool { return !byURL(to) }) {
		for _, to := range q.Of {
			urls = append(urls, to.URL)
		}
		return urls, nil
	}
	err = c.read(ctx, func(ctx context.Context, node *chain.Client) error {
		if len(q.Of) == 0 {
			pool, err := registered(ctx, node)
			for _, candidate := range pool {
				urls = append(urls, candidate.URL)
			}
			return err
		}
		for _, to := range q.Of {
			u := to.URL
			if !byURL(to) {
				entry, err := node.Recipient(ctx, to.Address)
				if err == nil {
					u, err = entryOf(entry, true)
				}
				if err != nil {
					return err
				}
			}
			urls = append(urls, u)
		}
		return nil
	})
	return urls, err
}

// byPrice compares what an hour costs. Offers that are paid by the call come last.
func byPrice(a, b RunnerOffer) int {
	comparable := func(o RunnerOffer) (*big.Rat, int) {
		if hour, counts := o.Price.PerHour(); counts {
			return hour, 0
		}
		price, _, err := o.Price.Rat()
		if err != nil {
			return new(big.Rat), 2 // it is not listed
		}
		return price, 1
	}
	costA, kindA := comparable(a)
	costB, kindB := comparable(b)
	return cmp.Or(cmp.Compare(kindA, kindB), costA.Cmp(costB), cmp.Compare(a.URL, b.URL))
}
