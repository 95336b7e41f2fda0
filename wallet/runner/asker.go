package runner

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
)

// Asker asks orchestrators for their models and their runners.
type Asker struct {
	// Offers asks for models, with Request, which is the sender's; nil is a client with the defaults.
	Offers  *pay.Client
	Request *wire.OrchestratorRequest

	Runners Client

	// Pays reports whether a runner's price is paid; nil pays any. Others are left out.
	Pays func(Price) bool
}

// Ask is Directory.Ask. It asks for models and runners side by side, and fails with what kept
// the orchestrator from answering about either.
func (a *Asker) Ask(ctx context.Context, u pay.URL) (Offered, error) {
	var offered Offered
	var runnersErr error
	var asking sync.WaitGroup
	asking.Go(func() { offered.Runners, runnersErr = a.runners(ctx, u) })
	models, err := a.models(ctx, u)
	asking.Wait()
	offered.Models = models
	return offered, errors.Join(err, runnersErr)
}

func (a *Asker) models(ctx context.Context, u pay.URL) ([]string, error) {
	offer, err := cmp.Or(a.Offers, new(pay.Client)).Fetch(ctx, u, a.Request)
	if err != nil {
		return nil, err
	}
	capabilities := new(wire.Capabilities)
	if err := proto.Unmarshal(offer.Info.GetCapabilities(), capabilities); err != nil {
		return nil, err
	}
	models := []string{}
	for _, work := range capabilities.Works() {
		models = append(models, work.String())
	}
	return models, nil
}

func (a *Asker) runners(ctx context.Context, u pay.URL) ([]Runner, error) {
	all, err := a.Runners.Runners(ctx, u)
	if hasNone(err) {
		return []Runner{}, nil
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(r Runner) bool { return a.Pays != nil && !a.Pays(r.Price) }), nil
}
