package cmd

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// payerOptions are what every command takes that makes tickets, or asks for params to
// make them from.
type payerOptions struct {
	network networkOptions
	account accountOptions
	limits  limitOptions
	store   storeOptions
}

func (o *payerOptions) register(cmd *cobra.Command) {
	o.registerReading(cmd)
	o.network.registerContracts(cmd)
}

// registerReading is register for a command that signs nothing.
func (o *payerOptions) registerReading(cmd *cobra.Command) {
	o.limits.register(cmd)
	o.limits.registerHeadAge(cmd)
	o.account.register(cmd)
	o.network.register(cmd)
	o.store.register(cmd)
}

// payerWallet is an account with what it needs to pay. When it is opened nothing has been
// asked of anybody yet, and the key is not open.
type payerWallet struct {
	account *signer.Account
	agent   *agent.Signer // the account's; nil when its key is opened here
	offline bool
	limits  policy.Limits
	named   []common.Address // by --recipient
	network chain.Network
	store   *store.Store
	client  *pay.Client
	now     func() time.Time

	dial func(context.Context) (*chain.Client, error)
	// bound puts --timeout on what is asked of the node.
	bound func(context.Context) (context.Context, context.CancelFunc, error)
	node  *chain.Client
	// looking is closed when the contracts are looked up, or that has failed with lookErr; nil
	// where nothing looks for them.
	looking chan struct{}
	lookErr error

	// known is who was paid where; nil is what the store knows.
	known pay.Known
}

// openWallet looks at everything that the command line and the disk can be refused for.
// Where an agent has the account, the wallet is the agent's.
func (r *run) openWallet(cmd *cobra.Command, o *payerOptions) (*payerWallet, error) {
	return r.openWalletOf(cmd, o, true)
}

// openKeyedWallet is openWallet for the agent itself.
func (r *run) openKeyedWallet(cmd *cobra.Command, o *payerOptions) (*payerWallet, error) {
	return r.openWalletOf(cmd, o, false)
}

func (r *run) openWalletOf(cmd *cobra.Command, o *payerOptions, withAgent bool) (*payerWallet, error) {
	w := &payerWallet{
		client: &pay.Client{Now: r.Now},
		now:    r.Now,
		bound:  o.network.bound,
	}
	w.dial = func(ctx context.Context) (*chain.Client, error) { return r.dialPinned(ctx, &o.network, w.store) }
	var err error
	if w.limits, err = o.limits.limits(r.Env); err != nil {
		return nil, err
	}
	if w.named, err = o.limits.named(); err != nil {
		return nil, err
	}
	_, cancel, err := o.network.bound(cmd.Context())
	if err != nil {
		return nil, err
	}
	cancel()
	if cmd.Flags().Changed("timeout") {
		w.client.Timeout = o.network.timeout
	}
	if w.network, _, err = o.network.choose(r.Env); err != nil {
		return nil, err
	}
	if err := o.store.checkBound(r.Env); err != nil {
		return nil, err
	}
	chainID := uint64(0)
	if withAgent {
		chainID = w.network.ChainID
	}
	if w.account, err = o.account.account(cmd.Context(), r.Env, chainID); err != nil {
		return nil, err
	}
	if w.agent = w.account.Agent(); w.agent != nil {
		w.agent.MaxHeadAge = w.limits.MaxHeadAge
	} else {
		err = o.account.keys.available(r.Env)
	}
	if err == nil {
		w.store, err = r.openStore(cmd.Context(), &o.store)
	}
	if err != nil {
		w.account.Close()
		return nil, err
	}
	return w, nil
}

// close clears the key and closes the store and the connection to the node.
func (w *payerWallet) close() {
	w.account.Close()
	if w.node != nil {
		w.node.Close()
	}
	w.store.Close()
}

// unlock opens the account's key.
func (w *payerWallet) unlock(ctx context.Context) (pm.Signer, error) {
	signer, err := w.account.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	return signer, nil
}

// Facts implements pay.Chain: it asks the agent if there is one, else the node, and connects to it when it is first
// asked.
func (w *payerWallet) Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error) {
	if w.agent != nil {
		return w.agent.Facts(ctx, sender, about...)
	}
	ctx, cancel, err := w.bound(ctx)
	if err != nil {
		return pm.Facts{}, err
	}
	defer cancel()
	node, err := w.connected(ctx)
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

// newestFacts is Facts by a look at the chain that begins now.
func (w *payerWallet) newestFacts(ctx context.Context, about ...pm.Counterparty) (pm.Facts, error) {
	if w.agent == nil {
		return w.Facts(ctx, w.account.Address(), about...)
	}
	facts, _, err := w.agent.Renew(ctx, w.account.Address(), about...)
	return facts, err
}

// lookUp begins to look up the network's contracts, where that comes before anything else
// that the node is asked for: a recipient can be asked meanwhile. It returns what ends that.
func (w *payerWallet) lookUp(ctx context.Context) (end func()) {
	end = func() {}
	if w.agent != nil || w.offline {
		return end
	}
	ctx, cancel, err := w.bound(ctx)
	if err != nil {
		return end // which Facts says too
	}
	node, err := w.connected(ctx)
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

// connected is the node, to which it connects when it is first asked for.
func (w *payerWallet) connected(ctx context.Context) (*chain.Client, error) {
	if w.node == nil {
		node, err := w.dial(ctx)
		if err != nil {
			return nil, err
		}
		w.node = node
	}
	return w.node, nil
}

// payer returns what makes the account's tickets.
func (w *payerWallet) payer() *pay.Payer {
	payer := &pay.Payer{
		Sender:  w.account.Address(),
		Limits:  w.limits,
		Chain:   w,
		Nonces:  w.store.Chain(w.network.ChainID),
		Now:     w.now,
		Offline: w.offline,
	}
	if w.agent != nil {
		w.agent.Offline, w.agent.InactiveOK = w.offline, w.limits.InactiveOK
		payer.Chain = w.agent
		payer.Nonces = agentNonces{w.store.Chain(w.network.ChainID), w.agent, w.store.ID()}
	}
	return payer
}

// kept returns the offers of recipients that the store keeps.
func (w *payerWallet) kept() keptOffers {
	return keptOffers{w.store.Chain(w.network.ChainID), w.store.ID()}
}

// pins are who was paid at which URL.
func (w *payerWallet) pins() pay.Pins {
	pins := pay.Pins{Known: w.known, Sender: w.account.Address(), Accept: w.named}
	if pins.Known == nil {
		pins.Known = w.store.Chain(w.network.ChainID)
	}
	return pins
}

// keptOffers keeps recipients' offers in the store, as the documents that users see.
type keptOffers struct {
	chain *store.Chain
	id    string
}

// Load implements pay.Kept. A document that cannot be read any more is as good as none,
// since params are easily had again.
func (k keptOffers) Load(ctx context.Context, sender common.Address, u pay.URL) (*pay.Offer, error) {
	document, err := k.chain.Params(ctx, sender, u.String())
	if errors.Is(err, store.ErrNoParams) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	params, err := format.ReadParams(bytes.NewReader(document))
	if err != nil || params.StoreID != k.id || common.Address(params.Sender) != sender {
		return nil, nil
	}
	info, err := params.Info()
	if err != nil {
		return nil, nil
	}
	offer, err := pay.NewOffer(u, sender, params.FetchedAt, info)
	if err != nil {
		return nil, nil
	}
	if offer.Works, err = params.WorksAsked(); err != nil {
		return nil, nil
	}
	return offer, nil
}

// Save implements pay.Kept.
func (k keptOffers) Save(ctx context.Context, offer *pay.Offer) error {
	params, err := paramsOf(offer, k.id)
	if err != nil {
		return err
	}
	var document bytes.Buffer
	if err := format.Write(&document, format.KindParams, params); err != nil {
		return err
	}
	return k.chain.SaveParams(ctx, offer.Sender, offer.URL.String(), document.Bytes())
}

// Drop implements pay.Kept.
func (k keptOffers) Drop(ctx context.Context, sender common.Address, u pay.URL) error {
	return k.chain.DropParams(ctx, sender, u.String())
}

// paramsOf returns an offer as a document.
func paramsOf(offer *pay.Offer, storeID string) (*format.Params, error) {
	params, err := format.ParamsFromInfo(offer.Info, offer.Sender, offer.URL.String(), storeID, offer.FetchedAt)
	if err == nil {
		params.SetWorks(offer.Works)
	}
	return params, err
}
