package runner

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/wallet/pay"
)

// Orchestrator is what one of them offers. Its JSON is the remote signer protocol's.
type Orchestrator struct {
	// Address is the orchestrator's URL.
	Address string  `json:"address"`
	Score   float64 `json:"score"`

	// Capabilities are its models, as pipeline/model, and its apps, sorted.
	Capabilities []string `json:"capabilities"`

	Runners []Runner `json:"runners"`
}

// offers reports whether it has one of the capabilities; none asked for is any.
func (o *Orchestrator) offers(capabilities []string) bool {
	return len(capabilities) == 0 || slices.ContainsFunc(capabilities, func(c string) bool { return slices.Contains(o.Capabilities, c) })
}

// Directory keeps what orchestrators offer. A round in which one does not answer, or in which
// it is not known which there are, takes nothing away: what was found last stays, with its
// age.
type Directory struct {
	// Candidates returns the orchestrators that are to be asked.
	Candidates func(ctx context.Context) ([]pay.URL, error)

	// Ask asks one of them.
	Ask func(ctx context.Context, u pay.URL) (*Orchestrator, error)

	// Every is the time from one round to the next.
	Every time.Duration

	// Keep is how long an orchestrator that does not answer stays listed.
	Keep time.Duration

	mu sync.Mutex
	// found are the answers by candidate, and order the candidates' order.
	found map[pay.URL]answer
	order []pay.URL
	// round is when the last round ended that anything was found in; zero is never.
	round time.Time
	err   error
}

type answer struct {
	*Orchestrator
	at time.Time
}

// askedAtOnce is how many orchestrators are asked at the same time.
const askedAtOnce = 16

// Run asks the candidates again and again until ctx ends.
func (d *Directory) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		_ = d.Refresh(ctx) // List says how it went
		timer.Reset(d.Every)
	}
}

// Refresh asks the candidates once. It fails as Candidates does, or with what kept every one
// of them from answering.
func (d *Directory) Refresh(ctx context.Context) error {
	err := d.refresh(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
	return err
}

func (d *Directory) refresh(ctx context.Context) error {
	candidates, err := d.Candidates(ctx)
	if err != nil {
		return err
	}
	answers, errs := make([]*Orchestrator, len(candidates)), make([]error, len(candidates))
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i, u := range candidates {
		group.Go(func() error {
			answers[i], errs[i] = d.Ask(ctx, u)
			return nil
		})
	}
	_ = group.Wait() // each has an error of its own
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	kept := make(map[pay.URL]answer, len(candidates))
	any := false
	for i, u := range candidates {
		if errs[i] == nil {
			kept[u], any = answer{answers[i], now}, true
		} else if last, ok := d.found[u]; ok && now.Sub(last.at) <= d.Keep {
			kept[u] = last
		}
	}
	d.found, d.order = kept, candidates
	if any {
		d.round = now
		return nil
	}
	if len(candidates) == 0 {
		return errors.New("there are no orchestrators to ask")
	}
	return errors.Join(errs...)
}

// Listing is what a Directory knows.
type Listing struct {
	Orchestrators []*Orchestrator

	// Oldest is the age of the oldest answer among them, 0 for none.
	Oldest time.Duration

	// Err is what went wrong in the last round.
	Err error
}

// List returns the orchestrators that have one of the capabilities. It is false while no
// orchestrator ever answered.
func (d *Directory) List(capabilities ...string) (*Listing, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.round.IsZero() {
		return nil, false
	}
	listing, now := &Listing{Orchestrators: []*Orchestrator{}, Err: d.err}, time.Now()
	for _, u := range d.order {
		if a, ok := d.found[u]; ok && len(a.Capabilities) > 0 && a.offers(capabilities) {
			listing.Orchestrators = append(listing.Orchestrators, a.Orchestrator)
			listing.Oldest = max(listing.Oldest, now.Sub(a.at))
		}
	}
	return listing, true
}
