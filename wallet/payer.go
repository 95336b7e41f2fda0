package wallet

import (
	"context"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// chainView reads the chain: through the agent if there is one, else through the node, which it
// dials on first use.
type chainView struct {
	*Wallet

	// looking is closed once the contracts are looked up, or that failed with lookErr; nil if no
	// lookup was started.
	looking chan struct{}
	lookErr error
}

// Facts implements pay.Chain.
func (v *chainView) Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error) {
	if agent := agent.Of(v.Account); agent != nil {
		return agent.Facts(ctx, sender, about...)
	}
	ctx, cancel := v.bound(ctx)
	defer cancel()
	node, err := v.connect(ctx)
	if err != nil {
		return pm.Facts{}, err
	}
	if v.looking != nil {
		if <-v.looking; v.lookErr != nil {
			return pm.Facts{}, v.lookErr
		}
	}
	return node.Facts(ctx, sender, about...)
}

// newest is Facts, never cached by the agent.
func (v *chainView) newest(ctx context.Context, about ...pm.Counterparty) (pm.Facts, error) {
	agent := agent.Of(v.Account)
	if agent == nil {
		return v.Facts(ctx, v.Account.Address(), about...)
	}
	facts, _, err := agent.Renew(ctx, v.Account.Address(), about...)
	return facts, err
}

// begin starts to look up the network's contracts in the background, if they are needed before
// other reads, so that a recipient can be asked meanwhile. end stops it.
func (v *chainView) begin(ctx context.Context) (end func()) {
	end = func() {}
	if agent.Of(v.Account) != nil || v.Offline {
		return end
	}
	ctx, cancel := v.bound(ctx)
	node, err := v.connect(ctx)
	if err != nil || node.Located() {
		cancel()
		return end
	}
	looking := make(chan struct{})
	v.looking = looking
	go func() {
		defer close(looking)
		_, v.lookErr = node.Contracts(ctx)
	}()
	return func() {
		cancel()
		<-looking
	}
}

func (v *chainView) recipient(ctx context.Context, address common.Address) (Recipient, error) {
	ctx, cancel := v.bound(ctx)
	defer cancel()
	node, err := v.connect(ctx)
	if err != nil {
		return Recipient{}, err
	}
	return node.Recipient(ctx, address)
}

// payer returns the Payer of the account's tickets.
func (v *chainView) payer() *pay.Payer {
	payer := &pay.Payer{Sender: v.Account.Address(), Limits: v.Limits, Chain: v, Nonces: v.ledger(), Now: v.Now, Offline: v.Offline}
	if agent := agent.Of(v.Account); agent != nil {
		agent.Offline, agent.InactiveOK, agent.MaxHeadAge = v.Offline, v.Limits.InactiveOK, v.Limits.MaxHeadAge
		payer.Chain = agent
		payer.Nonces = agentNonces{v.ledger(), agent, v.store.ID()}
	}
	return payer
}

func (w *Wallet) ledger() *store.Chain { return w.store.Chain(w.Network.ChainID) }

// pins returns the pinned addresses, for paying a recipient.
func (w *Wallet) pins(to pay.Target) pay.Pins {
	return pay.Pins{Known: w.ledger(), Sender: w.Account.Address(), Accept: w.Accept, Only: to.Address}
}

func (w *Wallet) asking(works []wire.Work) *pay.Client {
	return &pay.Client{Timeout: w.RecipientTimeout, Now: w.Now, Works: works, OnRequest: w.OnPayRequest()}
}

// agentNonces is a ledger whose nonces for tickets the agent reserves.
type agentNonces struct {
	*store.Chain
	signer  *agent.Signer
	storeID string
}

// ReserveAll implements pay.Nonces.
func (n agentNonces) ReserveAll(ctx context.Context, spends []store.Spend) ([]store.Outcome, error) {
	outcomes, err := n.signer.ReserveAll(ctx, n.storeID, spends)
	for i, o := range outcomes {
		if o.Err == nil && o.Made.Before != nil {
			var records store.Records
			records, outcomes[i].Err = n.Requested(ctx, spends[i].Sender, *spends[i].Request)
			o.Made.Before = records.First()
		}
	}
	return outcomes, err
}
