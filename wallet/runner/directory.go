package runner

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/internal/clock"
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

// Candidate is an orchestrator that is to be asked.
type Candidate struct {
	URL pay.URL

	// Score is how much it is preferred, 1 as a rule.
	Score float64
}

// Offered is what an orchestrator answered. Either part is nil where it gave no answer about it,
// and empty where it offers none.
type Offered struct {
	Models  []string
	Runners []Runner
}

// Directory keeps what orchestrators offer. A round in which one does not answer, or in which
// it is not known which there are, takes nothing away: what was found last stays, with its
// age. Each answer is listed at once, so that one that is slow keeps back no other.
type Directory struct {
	// Candidates returns the orchestrators that are to be asked; nil are none.
	Candidates func(ctx context.Context) ([]Candidate, error)

	// Ask asks one of them; it must be set. Its answer counts as far as it goes, also with an error.
	Ask func(ctx context.Context, u pay.URL) (Offered, error)

	// Every is the time from one round to the next; 0 or less is DefaultEvery.
	Every time.Duration

	// Keep is how long an answer stays listed that is not renewed.
	Keep time.Duration

	// Ended, if set, is called after each round, with how many orchestrators answered, and the
	// first error, which may be of a part of an answer.
	Ended func(answered, asked int, err error)

	mu sync.Mutex
	// found are the answers by candidate, and order the last candidates: those of the round under way
	// until whole, which is the end of the first one with an answer.
	found map[pay.URL]answer
	order []Candidate
	whole bool
}

// answer is what was found last of an orchestrator's models and of its runners.
type answer struct {
	models  part[string]
	runners part[Runner]
}

type part[T any] struct {
	list []T // nil where nothing is known
	at   time.Time
}

// renewed is the part with a newer list, unless that is nil.
func (p part[T]) renewed(list []T, now time.Time, keep time.Duration) part[T] {
	switch {
	case list != nil:
		return part[T]{list, now}
	case p.age(now) > keep:
		return part[T]{}
	}
	return p
}

// age is 0 for what is not known.
func (p part[T]) age(now time.Time) time.Duration {
	if p.list == nil {
		return 0
	}
	age, _ := clock.Age(now, p.at)
	return age
}

// askedAtOnce is how many orchestrators are asked at the same time.
const askedAtOnce = 16

// DefaultEvery is used if Directory.Every is 0.
const DefaultEvery = 5 * time.Minute

// Run asks the candidates again and again until ctx ends.
func (d *Directory) Run(ctx context.Context) {
	every := d.Every
	if every <= 0 {
		every = DefaultEvery
	}
	for ctx.Err() == nil {
		_ = d.Refresh(ctx) // Ended gets the error
		select {
		case <-ctx.Done():
		case <-time.After(every):
		}
	}
}

// ErrNoCandidates is returned for a round without an orchestrator to ask.
var ErrNoCandidates = errors.New("there are no orchestrators to ask")

// Refresh asks the candidates once. It fails as Candidates does, with ErrNoCandidates, or with
// the first error where no candidate answered.
func (d *Directory) Refresh(ctx context.Context) error {
	answered, asked, err := d.refresh(ctx)
	if d.Ended != nil && ctx.Err() == nil {
		d.Ended(answered, asked, err)
	}
	if answered > 0 {
		return nil
	}
	return err
}

func (d *Directory) refresh(ctx context.Context) (answered, asked int, err error) {
	if d.Candidates == nil {
		return 0, 0, ErrNoCandidates
	}
	candidates, err := d.Candidates(ctx)
	candidates = unique(candidates)
	if err == nil && len(candidates) == 0 {
		err = ErrNoCandidates
	}
	if err != nil {
		return 0, 0, err
	}
	d.mu.Lock()
	if !d.whole {
		d.found, d.order = make(map[pay.URL]answer), candidates
	}
	d.mu.Unlock()
	errs := make([]error, len(candidates))
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for i, c := range candidates {
		group.Go(func() error {
			offered, err := d.Ask(ctx, c.URL)
			d.mu.Lock()
			defer d.mu.Unlock()
			last, now := d.found[c.URL], time.Now()
			d.found[c.URL] = answer{last.models.renewed(offered.Models, now, d.Keep), last.runners.renewed(offered.Runners, now, d.Keep)}
			if offered.Models != nil || offered.Runners != nil {
				answered++
			}
			errs[i] = err
			return nil
		})
	}
	_ = group.Wait() // each has an error of its own
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.found, func(u pay.URL, _ answer) bool {
		return !slices.ContainsFunc(candidates, func(c Candidate) bool { return c.URL == u })
	})
	d.order, d.whole = candidates, d.whole || answered > 0
	return answered, len(candidates), cmp.Or(errs...)
}

// unique leaves out candidates that occur before.
func unique(candidates []Candidate) []Candidate {
	seen := make(map[pay.URL]bool, len(candidates))
	return slices.DeleteFunc(candidates, func(c Candidate) bool {
		again := seen[c.URL]
		seen[c.URL] = true
		return again
	})
}

// Listing is what a Directory lists.
type Listing struct {
	Orchestrators []*Orchestrator

	// Oldest is the age of the oldest answer among them, 0 for none.
	Oldest time.Duration
}

// List returns the orchestrators that have one of the capabilities. It is false, and the list
// empty, while none is known that has any, and before the end of the first round with an answer also
// while none is known that has one of these.
func (d *Directory) List(capabilities ...string) (*Listing, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	listing, now, known := &Listing{Orchestrators: []*Orchestrator{}}, time.Now(), false
	for _, c := range d.order {
		found := d.found[c.URL]
		o := &Orchestrator{
			Address: c.URL.String(), Score: c.Score,
			Capabilities: slices.Clone(found.models.list), Runners: append([]Runner{}, found.runners.list...),
		}
		for _, r := range o.Runners {
			o.Capabilities = append(o.Capabilities, r.App)
		}
		slices.Sort(o.Capabilities)
		o.Capabilities = slices.Compact(o.Capabilities)
		known = known || len(o.Capabilities) > 0
		if len(o.Capabilities) > 0 && o.offers(capabilities) {
			listing.Orchestrators = append(listing.Orchestrators, o)
			listing.Oldest = max(listing.Oldest, found.models.age(now), found.runners.age(now))
		}
	}
	return listing, known && (d.whole || len(listing.Orchestrators) > 0)
}
