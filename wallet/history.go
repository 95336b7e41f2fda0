package wallet

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/store"
)

// HistoryOptions select how much of an account's past is read.
type HistoryOptions struct {
	// Since is the earliest time to read; zero for everything.
	Since time.Time

	// NoCache reads everything from the chain and writes no cache.
	NoCache bool
}

// HistoryFilter selects a part of an account's past. The zero value is all of it.
type HistoryFilter struct {
	// Until is the time before which events are shown.
	Until time.Time

	// Recipient is the one whose redemptions are shown, Client is the name of the remote
	// signer's client whose tickets were redeemed.
	Recipient *common.Address
	Client    string
}

// past is what the chain and the ledger record about a sender.
type past struct {
	now    time.Time
	store  *store.Store
	ledger *store.Chain
	status *chain.Status
	// events are those up to the block of status, matched with the ledger.
	events []history.Event
	// clients are those of remote signers, by ID.
	clients map[string]*SignerClient
}

// lookBack reads the account's past. The caller closes its store.
func (r *Reader) lookBack(ctx context.Context, of HistoryOptions) (*past, error) {
	p := &past{now: r.Now().UTC()}
	bounded, cancel := r.bound(ctx)
	defer cancel()
	var err error
	if p.status, err = r.node.Status(bounded, r.Address); err != nil {
		return nil, err
	}
	if p.status.Head.Time.After(p.now) {
		p.now = p.status.Head.Time // the chain's clock may be ahead
	}
	from, err := history.BlockAt(bounded, r.node, p.status.Head, of.Since)
	if err != nil {
		return nil, err
	}
	if p.store, err = OpenStore(ctx, r.Store, r.DatabasesDir, r.UI); err != nil {
		return nil, err
	}
	p.ledger = p.store.Chain(r.Network.ChainID)
	// The scan may take long; each of its requests is bounded.
	if p.events, err = r.readEvents(ctx, p.status, of, from); err == nil {
		err = history.MatchAll(ctx, p.ledger, r.Address, p.events)
	}
	if err == nil {
		err = p.readClients(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.store.Close())
	}
	return p, nil
}

func (p *past) readClients(ctx context.Context) error {
	all, err := p.store.Clients().All(ctx)
	p.clients = make(map[string]*SignerClient)
	for _, client := range all {
		p.clients[client.ID] = client
	}
	return err
}

// clientOf is the ID of the client whose ticket an event is about; "" for none.
func clientOf(e *history.Event) string {
	if e.Redemption == nil || e.Redemption.Match != history.Matched {
		return ""
	}
	return e.Redemption.Made.Client
}

// nameClients replaces the IDs of clients in events with their names.
func (p *past) nameClients(events []history.Event) {
	for i := range events {
		if r := events[i].Redemption; r != nil && r.Made != nil && p.clients[r.Made.Client] != nil {
			r.Made.Client = p.clients[r.Made.Client].Name
		}
	}
}

// readEvents reads the events from a block up to that of the status.
func (r *Reader) readEvents(ctx context.Context, status *chain.Status, of HistoryOptions, from uint64) ([]history.Event, error) {
	scanner := &history.Scanner{Node: r.node, Sender: r.Address, Newest: status.Head}
	if r.CacheDir != "" && !of.NoCache {
		scanner.Cache = history.NewCache(filepath.Join(r.CacheDir, "history"), r.Network.ChainID, status.Contracts.TicketBroker, r.Address)
	}
	done := r.UI.Progress(func() string {
		done, total := scanner.Progress()
		return fmt.Sprintf("reading blocks: %d of %d (%d %%)", done, total, done*100/max(total, 1))
	})
	scan, err := scanner.Scan(ctx, from)
	done()
	if err != nil {
		return nil, err
	}
	if advice, lost := hint.Of(scan.NotKept); lost {
		r.UI.Note(scan.NotKept.Error())
		r.UI.Note("hint: " + advice)
	}
	events, err := history.Decode(scan.Logs)
	return slices.DeleteFunc(events, func(e history.Event) bool { return e.Block > status.Head.Number }), err
}

// History is what happened to a sender's funds.
type History struct {
	Network   string          `json:"network"`
	ChainID   uint64          `json:"chain_id,string"`
	Sender    format.Address  `json:"sender"`
	Recipient *format.Address `json:"recipient,omitempty"`
	Client    string          `json:"client,omitempty"`
	Since     time.Time       `json:"since,omitzero"`
	Until     time.Time       `json:"until,omitzero"`
	// Block is the newest block that was read.
	Block  uint64          `json:"block"`
	Events []history.Event `json:"events"`
	// Totals sums up the events. Luck compares the tickets created in that time with the wins.
	Totals history.Totals `json:"totals"`
	Luck   history.Luck   `json:"luck"`

	// Deposits and Reserves are what there was of each up to now, when they were read, for
	// all recipients; the first one is before the first event.
	Deposits, Reserves []history.Balance `json:"-"`
	Now                time.Time         `json:"-"`
}

// History reads what happened to the account's funds, as far as only selects it. It returns the
// errors of the node and the store, store.ErrNoClient, history.ErrEvents and history.ErrReplaced.
func (r *Reader) History(ctx context.Context, of HistoryOptions, only HistoryFilter) (*History, error) {
	p, err := r.lookBack(ctx, of)
	if err != nil {
		return nil, err
	}
	defer p.store.Close()
	client := ""
	if only.Client != "" {
		named, err := p.store.Clients().Named(ctx, only.Client)
		if err != nil {
			return nil, err
		}
		client = named.ID
	}
	until, recipient := only.Until, only.Recipient
	chosen := func(at time.Time, paid common.Address, of string) bool {
		return (until.IsZero() || at.Before(until)) && (recipient == nil || *recipient == paid) && (client == "" || client == of)
	}
	draw := history.NewDraw(p.status.Head.L1Block)
	err = p.ledger.Reservations(ctx, r.Address, of.Since, func(made store.Reservation) error {
		if chosen(made.At, made.Recipient, made.Client) {
			draw.Add(made)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	events := make([]history.Event, 0, len(p.events))
	for _, e := range p.events {
		draw.Win(e) // whenever it was redeemed
		var paid common.Address
		if e.Redemption != nil {
			paid = common.Address(e.Redemption.Recipient)
		}
		if !e.Time.Before(of.Since) && chosen(e.Time, paid, clientOf(&e)) {
			events = append(events, e)
		}
	}
	p.nameClients(events)
	deposits, reserves := history.Balances(p.events, p.status.Sender.Deposit, p.status.Sender.Reserve)
	return &History{
		Deposits: deposits, Reserves: reserves, Now: p.now,
		Network: r.Network.Name, ChainID: r.Network.ChainID, Sender: format.Address(r.Address), Recipient: (*format.Address)(recipient), Client: only.Client,
		Since: of.Since, Until: until, Block: p.status.Head.Number,
		Events: events, Totals: history.Total(events), Luck: draw.Luck(),
	}, nil
}
