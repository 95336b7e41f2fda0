package wallet

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// Facts implements pay.Chain: it asks the agent if there is one, else the node, and connects to it when it is first
// asked.
func (w *Wallet) Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error) {
	if agent := w.Account.Agent(); agent != nil {
		return agent.Facts(ctx, sender, about...)
	}
	ctx, cancel := w.bound(ctx)
	defer cancel()
	node, err := w.connect(ctx)
	if err != nil {
		return pm.Facts{}, err
	}
	if w.looking != nil {
		if <-w.looking; w.lookErr != nil {
			return pm.Facts{}, w.lookErr
		}
	}
	return node.Facts(ctx, sender, about...)
}

// NewestFacts is Facts by a look at the chain that begins now.
func (w *Wallet) NewestFacts(ctx context.Context, about ...pm.Counterparty) (pm.Facts, error) {
	if w.Account == nil {
		return pm.Facts{}, ErrNoAccount
	}
	agent := w.Account.Agent()
	if agent == nil {
		return w.Facts(ctx, w.Account.Address(), about...)
	}
	facts, _, err := agent.Renew(ctx, w.Account.Address(), about...)
	return facts, err
}

// LookUp begins to look up the network's contracts, where that comes before anything else
// that the node is asked for: a recipient can be asked meanwhile. It returns what ends that.
func (w *Wallet) LookUp(ctx context.Context) (end func()) {
	end = func() {}
	if w.Account.Agent() != nil || w.Offline {
		return end
	}
	ctx, cancel := w.bound(ctx)
	node, err := w.connect(ctx)
	if err != nil || node.Located() {
		cancel()
		return end
	}
	looking := make(chan struct{})
	w.looking = looking
	go func() {
		defer close(looking)
		_, w.lookErr = node.Contracts(ctx)
	}()
	return func() {
		cancel()
		<-looking
	}
}

// ledger is the store's book of the network.
func (w *Wallet) ledger() *store.Chain { return w.store.Chain(w.Network.ChainID) }

// payer returns what makes the account's tickets.
func (w *Wallet) payer() *pay.Payer {
	payer := &pay.Payer{
		Sender:  w.Account.Address(),
		Limits:  w.Limits,
		Chain:   w,
		Nonces:  w.ledger(),
		Now:     w.Now,
		Offline: w.Offline,
	}
	if agent := w.Account.Agent(); agent != nil {
		agent.Offline, agent.InactiveOK, agent.MaxHeadAge = w.Offline, w.Limits.InactiveOK, w.Limits.MaxHeadAge
		payer.Chain = agent
		payer.Nonces = agentNonces{w.ledger(), agent, w.store.ID()}
	}
	return payer
}

// kept returns the offers of recipients that the store keeps.
func (w *Wallet) kept() keptOffers {
	return keptOffers{w.ledger(), w.store.ID()}
}

// Pins are who was paid at which URL.
func (w *Wallet) Pins() pay.Pins {
	return pay.Pins{Known: w.ledger(), Sender: w.Account.Address(), Accept: w.Accept}
}

// asking asks recipients.
func (w *Wallet) asking(works []wire.Work) *pay.Client {
	return &pay.Client{Timeout: w.RecipientTimeout, Now: w.Now, Works: works}
}

// Ask asks a recipient for ticket params, and says how long that took. It fails as
// pay.Client.Fetch does.
func (w *Wallet) Ask(ctx context.Context, u pay.URL) (*pay.Offer, time.Duration, error) {
	request, err := w.request(ctx)
	if err != nil {
		return nil, 0, err
	}
	began := time.Now()
	offer, err := w.asking(nil).Fetch(ctx, u, request)
	return offer, time.Since(began), err
}

// Judge holds an offer to the limits, and to what the chain says now. It fails as the chain
// does.
func (w *Wallet) Judge(ctx context.Context, offer *pay.Offer) ([]check.Finding, error) {
	facts, err := w.NewestFacts(ctx, pm.CounterpartyOf(offer.Params))
	if err != nil {
		return nil, err
	}
	return check.Params(w.Limits, offer.Params, &facts, 1), nil
}

// request is what recipients are asked with: it proves whose tickets will pay.
func (w *Wallet) request(ctx context.Context) (*wire.OrchestratorRequest, error) {
	if w.Account == nil {
		return nil, ErrNoAccount
	}
	key, err := w.Account.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	return wire.NewOrchestratorRequest(key)
}

// unlock opens the account's key.
func (w *Wallet) unlock(ctx context.Context) (pm.Signer, error) {
	key, err := w.Account.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	return key, nil
}

// Recipient is what the chain says of a recipient.
func (w *Wallet) Recipient(ctx context.Context, address common.Address) (chain.Recipient, error) {
	ctx, cancel := w.bound(ctx)
	defer cancel()
	node, err := w.connect(ctx)
	if err != nil {
		return chain.Recipient{}, err
	}
	return node.Recipient(ctx, address)
}

// agentNonces are a store's, of which the agent takes those for tickets.
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
