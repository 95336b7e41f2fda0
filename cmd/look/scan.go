package look

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/store"
)

// scanOptions are what every command takes that looks back.
type scanOptions struct {
	network cli.NetworkOptions
	account cli.AccountOptions
	store   cli.StoreOptions
	since   string
	noCache bool
}

func (o *scanOptions) register(cmd *cobra.Command) {
	o.network.Register(cmd)
	cmd.Flags().StringVar(&o.account.From, "from", "", "`ADDRESS` to show (default $ETH_FROM, else the only account there is)")
	o.account.Keys.RegisterAddress(cmd)
	o.store.Register(cmd)
	cmd.Flags().BoolVar(&o.noCache, "no-cache", false, "read everything from the chain, and keep nothing of it")
}

// past is what the chain and the ledger have about a sender.
type past struct {
	network chain.Network
	sender  common.Address
	// since is the time that --since says; zero for everything.
	since time.Time
	now   time.Time

	store  *store.Store
	ledger *store.Chain
	status *chain.Status
	scan   *history.Scan
	// events are those up to the block of status, matched with the ledger.
	events []history.Event
}

// lookBack reads a sender's past. close its store.
func lookBack(r *cli.Run, cmd *cobra.Command, o *scanOptions) (*past, error) {
	p := &past{now: r.Now().UTC()}
	var err error
	if p.since, err = cli.ParseMoment("--since", o.since, p.now); err != nil {
		return nil, err
	}
	if p.since.After(p.now) {
		return nil, cli.Usagef("--since %s: that is in the future", o.since)
	}
	ctx := cmd.Context()
	if p.sender, err = cli.StatusAddress(ctx, r.Env, &o.account, nil); err != nil {
		return nil, err
	}
	bounded, cancel, err := o.network.Bound(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	client, err := o.network.Dial(bounded, r.Env)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	p.network = client.Network()
	if p.status, err = client.Status(bounded, p.sender); err != nil {
		return nil, err
	}
	if p.status.Head.Time.After(p.now) {
		p.now = p.status.Head.Time // a chain's clock may be ahead
	}
	from, err := history.BlockAt(bounded, client, p.status.Head, p.since)
	if err != nil {
		return nil, err
	}
	if p.store, err = cli.OpenStore(ctx, r, &o.store); err != nil {
		return nil, err
	}
	p.ledger = p.store.Chain(p.network.ChainID)
	// However long the scan takes, each of its requests is bounded.
	if err := readEvents(ctx, r, o, client, p, from); err != nil {
		return nil, errors.Join(err, p.store.Close())
	}
	return p, nil
}

func readEvents(ctx context.Context, r *cli.Run, o *scanOptions, client *chain.Client, p *past, from uint64) (err error) {
	var read, all atomic.Uint64
	scanner := &history.Scanner{Node: client, Sender: p.sender, Newest: p.status.Head, Progress: func(done, total uint64) {
		read.Store(done)
		all.Store(total)
	}}
	// Whoever has no home folder has no cache in it.
	if dir, err := r.CacheDir(); err == nil && !o.noCache {
		scanner.Cache = history.NewCache(filepath.Join(dir, "history"), p.network.ChainID, p.status.Contracts.TicketBroker, p.sender)
	}
	done := r.Progress(func() string {
		done, total := read.Load(), all.Load()
		return fmt.Sprintf("reading blocks: %d of %d (%d %%)", done, total, done*100/max(total, 1))
	})
	p.scan, err = scanner.Scan(ctx, from)
	done()
	if err != nil {
		return err
	}
	if p.scan.NotKept != nil {
		r.Note("%v", p.scan.NotKept)
		r.Note("hint: %s", cli.HintFor(p.scan.NotKept))
	}
	events, err := history.Decode(p.scan.Logs)
	if err != nil {
		return err
	}
	for _, e := range events {
		if e.Block <= p.status.Head.Number {
			p.events = append(p.events, e)
		}
	}
	return history.MatchAll(ctx, p.ledger, p.sender, p.events)
}
