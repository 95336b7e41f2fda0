package wallet

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pmctl/pmctl/wallet/internal/facts"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/delivery"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/runner"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

type (
	// SignerClient is a client of a remote signer, SignerTerms are what it may have signed and
	// SignerCredential is what it is recognized by.
	SignerClient     = store.Client
	SignerTerms      = store.Terms
	SignerCredential = store.Credential
)

// RemoteSignerOptions says how a remote signer works.
type RemoteSignerOptions struct {
	// Identify finds out which client asks. It must be set.
	Identify identity.Identifier

	// Webhook is asked before each payment; nil is none.
	Webhook *remote.Webhook

	// MaxPrices are the highest prices that are paid for any client.
	MaxPrices live.MaxPrices

	// Discovery lists orchestrators; nil lists none.
	Discovery *DiscoveryOptions

	// Host and Version are what other replicas on the store show this one as.
	Host, Version string

	// Rate bounds how often one client may ask. Reload does not change it.
	Rate remote.Rate

	// Log gets a line for each request; nil is for none.
	Log *slog.Logger

	// Observe is called after each answer, from any goroutine; nil is for none.
	Observe func(remote.Answered)

	// Forecast makes Run forecast how long the deposit lasts, from the chain's events and the
	// ledger.
	Forecast bool

	// Collector gets the usage events; nil for none.
	Collector *delivery.Endpoint

	// Events gets what the operator is notified of; nil for none. RunwayBelow is how long the
	// deposit must last for there to be no event about it; 0 is for no such event.
	Events      *delivery.Endpoint
	RunwayBelow time.Duration

	// Retention is how long payments are kept after they were acknowledged; 0 is for ever.
	Retention time.Duration
}

// RemoteSigner signs payments for gateways and SDKs that hold no key. It has no way to fund,
// unlock, withdraw or send.
type RemoteSigner struct {
	wallet    *Wallet
	key       signer.Source
	cache     *facts.Cache
	queue     *store.LiveQueue
	forecasts *forecasts
	current   atomic.Pointer[signerSettings]

	// rates outlive a reload, which gives no client a new burst.
	rates *remote.Rates

	announcer *announcer

	// alerts is nil without an endpoint for events.
	alerts *alerts

	// collects reports whether usage events go to a collector.
	collects bool

	// directory is nil without discovery.
	directory *runner.Directory

	// background runs beside the server until its context ends.
	background []func(context.Context)
}

// signerSettings are what Reload replaces. Requests under way end with those that they began with.
type signerSettings struct {
	limits  policy.Limits
	handler http.Handler
}

// NewRemoteSigner is a remote signer for the wallet's account, whose key it opens. The wallet is
// closed after it. It fails as Account.Unlock and the wallet's node do, and with remote.ErrNoIdentifier.
func NewRemoteSigner(ctx context.Context, w *Wallet, o RemoteSignerOptions) (*RemoteSigner, error) {
	if err := w.requireAccount(); err != nil {
		return nil, err
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	key, err := w.Account.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	node, err := w.connect(ctx)
	if err != nil {
		return nil, err
	}
	s := &RemoteSigner{
		wallet: w, key: key, collects: o.Collector != nil,
		rates: remote.NewRates(o.Rate, w.Now),
	}
	s.current.Store(&signerSettings{limits: w.Limits})
	// The chain is looked at as often as the limits ask for that are reloaded.
	s.cache = facts.New(node, key.Address(), w.Now, time.After, func() time.Duration { return s.limits().MaxHeadAge / facts.Looks })
	// The first request need not wait, and what is wrong with the node shows before it.
	if _, _, err := s.cache.Renew(ctx, nil); err != nil {
		return nil, err
	}
	if o.Discovery != nil {
		if s.directory, err = o.Discovery.directory(ctx, key, node, o.MaxPrices); err != nil {
			return nil, err
		}
		s.background = append(s.background, s.directory.Run)
	}
	payments := w.store.Chain(w.Network.ChainID).LivePayments(key.Address())
	s.queue, s.announcer = payments.Queue(), newAnnouncer(payments, o.Host, o.Version, w.Now, o.Log)
	s.background = append(s.background, s.announcer.run)
	if o.Forecast || o.Events != nil {
		quiet := w.Config
		quiet.UI = silent{}
		s.forecasts = &forecasts{config: quiet, account: key.Address()}
		s.background = append(s.background, s.forecasts.run)
	}
	if o.Events != nil {
		s.alerts = &alerts{signer: s, events: w.store.SignerEvents(), log: o.Log, below: o.RunwayBelow, refusals: make(map[string]alert)}
		s.background = append(s.background, s.alerts.run, delivery.New("events", remote.EventOutbox(w.store), o.Events, o.Log).Run)
	}
	s.keepUsage(&o)
	if err := s.Reload(ctx, o, w.Limits); err != nil {
		s.queue.Close()
		return nil, err
	}
	return s, nil
}

// Reload replaces the options Identify, Webhook, MaxPrices, Log and Observe, and the limits on what the
// signer signs, of which those apply by default that apply to a Config's. The others stay as they are. It
// fails as the key does, and with remote.ErrNoIdentifier, and then changes nothing.
func (s *RemoteSigner) Reload(ctx context.Context, o RemoteSignerOptions, limits policy.Limits) error {
	limits = limits.OrDefault().Unplaced().Bound("the remote signer")
	w := s.wallet
	var listed remote.Directory
	if s.directory != nil {
		listed = s.directory
	}
	server, err := remote.New(ctx, remote.Config{
		Key: s.key, Identify: o.Identify, Clients: w.store.Clients(), Usage: w.store.LiveUsage(), Rates: s.rates, Directory: listed, Log: o.Log, Observe: s.observe(o.Observe), Now: w.Now,
		Payments: &remote.Payer{
			Key: s.key, Credentials: remote.Remember(s.key), Ledger: s.queue, Webhook: o.Webhook, MaxPrices: o.MaxPrices, Now: w.Now,
			Source: "pmctl/" + w.store.ID(),
			Plans: &pay.Payer{
				Sender: s.key.Address(), Limits: limits, Nonces: w.ledger(), Now: w.Now,
				Chain: facts.Aged{Cache: s.cache, AtMost: limits.MaxHeadAge},
			},
		},
	})
	if err != nil {
		return err
	}
	s.current.Store(&signerSettings{limits, server.Handler()})
	return nil
}

// observe has what answers tell of the store, and tell the operator, noted, too.
func (s *RemoteSigner) observe(with func(remote.Answered)) func(remote.Answered) {
	return func(answered remote.Answered) {
		if errors.As(answered.Err, new(*remote.UnavailableError)) {
			s.announcer.note(answered.Err)
		}
		if s.alerts != nil {
			s.alerts.observe(answered)
		}
		if with != nil {
			with(answered)
		}
	}
}

// limits are those on what the signer signs.
func (s *RemoteSigner) limits() policy.Limits { return s.current.Load().limits }

// Handler answers the requests of the remote signer protocol.
func (s *RemoteSigner) Handler() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.current.Load().handler.ServeHTTP(rw, r)
	})
}

// Run follows the chain and what orchestrators offer, and delivers events, until ctx ends.
func (s *RemoteSigner) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, run := range s.background {
		running.Go(func() { run(ctx) })
	}
	s.cache.Run(ctx)
	running.Wait()
}

// Close ends what records payments, after the transaction under way.
func (s *RemoteSigner) Close() { s.queue.Close() }

// keepUsage adds what delivers the usage, and removes it when it is old.
func (s *RemoteSigner) keepUsage(o *RemoteSignerOptions) {
	w, consumer := s.wallet, store.ConsumerClient
	if o.Collector != nil {
		consumer = store.ConsumerCollector
		s.background = append(s.background, delivery.New("usage", remote.UsageOutbox(w.store), o.Collector, o.Log).Run)
	}
	if o.Retention > 0 {
		retention := &remote.Retention{Usage: w.store.LiveUsage(), Consumer: consumer, Keep: o.Retention, Log: o.Log, Now: w.Now, After: time.After}
		s.background = append(s.background, retention.Run)
	}
}
