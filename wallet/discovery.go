package wallet

import (
	"context"
	"errors"
	"time"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/runner"
	"github.com/pmctl/pmctl/wallet/signer"
)

// DiscoveryOptions says which orchestrators a remote signer lists.
type DiscoveryOptions struct {
	// Candidates returns those that are asked for what they offer; nil are the active ones of
	// both registries.
	Candidates func(context.Context) ([]runner.Candidate, error)

	// Every is the time from one round of asking to the next; 0 or less is runner.DefaultEvery.
	Every time.Duration

	// Ended, if set, is called after each round: see runner.Directory.
	Ended func(answered, asked int, err error)
}

const (
	// keepOffers is how long an orchestrator that does not answer stays listed.
	keepOffers = 24 * time.Hour
	// offerTimeout is how long an orchestrator may take to answer.
	offerTimeout = 5 * time.Second
)

// directory keeps what orchestrators offer at prices that are paid.
func (o *DiscoveryOptions) directory(ctx context.Context, key signer.Source, node *chain.Client, max live.MaxPrices) (*runner.Directory, error) {
	request, err := wire.NewOrchestratorRequest(signer.ForPM(ctx, key))
	if err != nil {
		return nil, err
	}
	asker := &runner.Asker{
		Offers: &pay.Client{Timeout: offerTimeout}, Request: request, Runners: runner.Client{HTTP: pay.HTTPClient()},
		Pays: func(p runner.Price) bool { return isPaid(p, max) },
	}
	d := &runner.Directory{Candidates: o.Candidates, Ask: asker.Ask, Every: o.Every, Keep: keepOffers, Ended: o.Ended}
	if d.Candidates == nil {
		d.Candidates = func(ctx context.Context) ([]runner.Candidate, error) { return registered(ctx, node) }
	}
	return d, nil
}

// isPaid reports whether a price is within the maximum for its unit.
func isPaid(p runner.Price, max live.MaxPrices) bool {
	price, kind, err := p.Rat()
	ceilings, refused := max.Ceilings(kind, live.Configured)
	return errors.Join(err, refused) == nil && live.CheckPrice(price, ceilings...) == nil
}

// registered are the URLs of the active recipients in both registries. Entries that are no URL are
// left out.
func registered(ctx context.Context, node *chain.Client) ([]runner.Candidate, error) {
	pool, err := node.Recipients(ctx)
	if err != nil {
		return nil, err
	}
	var candidates []runner.Candidate
	for _, r := range pool {
		for _, entry := range []string{r.AIServiceURI, r.ServiceURI} {
			if u, err := pay.ParseServiceURI(entry); err == nil {
				candidates = append(candidates, runner.Candidate{URL: u, Score: 1})
			}
		}
	}
	return candidates, nil
}
