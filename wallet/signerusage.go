package wallet

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/store"
)

// SignerUsage is what the clients of remote signers have had signed, and what that has cost.
type SignerUsage struct {
	Network string         `json:"network"`
	ChainID uint64         `json:"chain_id,string"`
	Sender  format.Address `json:"sender"`
	Since   time.Time      `json:"since,omitzero"`
	// Block is the newest block that was read.
	Block uint64 `json:"block"`
	// Clients are sorted by name. The first has no name if tickets were made for no client.
	Clients []ClientUsage `json:"clients"`
}

// ClientUsage is a client's part.
type ClientUsage struct {
	Client string `json:"client,omitempty"`
	// Payments is how many payments the tickets are of.
	Payments uint64 `json:"payments"`
	TicketSum
	// Luck compares the tickets that have been drawn with the wins that the chain paid.
	Luck history.Luck `json:"luck"`
}

// SignerUsage reads what was signed for each client since a time, or for the one with a name. It
// fails as History does.
func (r *Reader) SignerUsage(ctx context.Context, of HistoryOptions, client string) (*SignerUsage, error) {
	p, err := r.lookBack(ctx, of)
	if err != nil {
		return nil, err
	}
	defer p.store.Close()
	if client != "" {
		if _, err := p.store.Clients().Named(ctx, client); err != nil {
			return nil, err
		}
	}
	type account struct {
		payments uint64
		draw     *history.Draw
	}
	accounts := make(map[string]*account)
	open := func(id string) *account {
		if accounts[id] == nil {
			accounts[id] = &account{draw: history.NewDraw(p.status.Head.L1Block)}
		}
		return accounts[id]
	}
	for id := range p.clients {
		open(id)
	}
	err = p.ledger.Reservations(ctx, r.Address, of.Since, func(made store.Reservation) error {
		a := open(made.Client)
		a.payments++
		a.draw.Add(made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range p.events {
		if a := accounts[clientOf(&p.events[i])]; a != nil {
			a.draw.Win(p.events[i])
		}
	}
	found := &SignerUsage{
		Network: r.Network.Name, ChainID: r.Network.ChainID, Sender: format.Address(r.Address), Since: of.Since, Block: p.status.Head.Number,
		Clients: []ClientUsage{},
	}
	for id, a := range accounts {
		name := id
		if p.clients[id] != nil {
			name = p.clients[id].Name
		}
		if client == "" || client == name {
			found.Clients = append(found.Clients, ClientUsage{name, a.payments, ticketSum(a.draw.Made), a.draw.Luck()})
		}
	}
	slices.SortFunc(found.Clients, func(a, b ClientUsage) int { return cmp.Compare(a.Client, b.Client) })
	return found, nil
}
