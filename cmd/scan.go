package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/store"
)

// scanOptions are what every command takes that looks back.
type scanOptions struct {
	network networkOptions
	account accountOptions
	store   storeOptions
	since   string
	noCache bool
}

func (o *scanOptions) register(cmd *cobra.Command) {
	o.network.register(cmd)
	cmd.Flags().StringVar(&o.account.from, "from", "", "`ADDRESS` to show (default $ETH_FROM, else the only account there is)")
	o.account.keys.keystore.register(cmd)
	o.store.register(cmd)
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
func (r *run) lookBack(cmd *cobra.Command, o *scanOptions) (*past, error) {
	p := &past{now: r.Now().UTC()}
	var err error
	if p.since, err = parseMoment("--since", o.since, p.now); err != nil {
		return nil, err
	}
	if p.since.After(p.now) {
		return nil, usagef("--since %s: that is in the future", o.since)
	}
	ctx := cmd.Context()
	if p.sender, err = statusAddress(ctx, r.Env, &o.account, nil); err != nil {
		return nil, err
	}
	bounded, cancel, err := o.network.bound(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	client, err := o.network.dial(bounded, r.Env)
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
	from, err := history.BlockAt(bounded, client, p.status.Head.Number, p.since)
	if err != nil {
		return nil, err
	}
	if p.store, err = r.openStore(ctx, &o.store); err != nil {
		return nil, err
	}
	p.ledger = p.store.Chain(p.network.ChainID)
	// However long the scan takes, each of its requests is bounded.
	if err := r.readEvents(ctx, o, client, p, from); err != nil {
		return nil, errors.Join(err, p.store.Close())
	}
	return p, nil
}

func (r *run) readEvents(ctx context.Context, o *scanOptions, client *chain.Client, p *past, from uint64) (err error) {
	progress := &progressLine{run: r, began: r.Now()}
	scanner := &history.Scanner{Node: client, Sender: p.sender, Progress: progress.blocks}
	// Whoever has no home folder has no cache in it.
	if dir, err := r.cacheDir(); err == nil && !o.noCache {
		scanner.Cache = history.NewCache(filepath.Join(dir, "history"), p.network.ChainID, p.status.Contracts.TicketBroker, p.sender)
	}
	p.scan, err = scanner.Scan(ctx, from)
	progress.clear()
	if err != nil {
		return err
	}
	if p.scan.NotKept != nil {
		r.note("%v", p.scan.NotKept)
		r.note("hint: %s", hintFor(p.scan.NotKept))
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

// progressLine tells a person at a terminal how far something is that takes its time.
type progressLine struct {
	run   *run
	began time.Time
	last  time.Time
	shown int
}

const (
	// firstWordAfter is how long something may take without a word.
	firstWordAfter = time.Second
	nextWordAfter  = 200 * time.Millisecond
)

func (p *progressLine) blocks(done, total uint64) {
	now := p.run.Now()
	if !p.run.ErrTerminal || p.run.quiet || now.Sub(p.began) < firstWordAfter || now.Sub(p.last) < nextWordAfter {
		return
	}
	p.last = now
	text := fmt.Sprintf("reading blocks: %d of %d (%d %%)", done, total, done*100/max(total, 1))
	p.write(text)
}

// write replaces the line, in a way that every terminal knows.
func (p *progressLine) write(text string) {
	fmt.Fprintf(p.run.Err, "\r%-*s\r%s", p.shown, "", text)
	p.shown = 0
	if text != "" {
		p.shown = len(text) + len("^C") // which terminals show behind it
	}
}

func (p *progressLine) clear() {
	if p.shown > 0 {
		p.write("")
	}
}
