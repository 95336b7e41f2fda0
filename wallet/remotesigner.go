package wallet

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/pmctl/pmctl/wallet/internal/facts"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/runner"
	"github.com/pmctl/pmctl/wallet/store"
)

type (
	// SignerClient is a client of a remote signer, SignerTerms are what it may have signed and
	// SignerCredential is what it is recognized by.
	SignerClient     = store.Client
	SignerTerms      = store.Terms
	SignerCredential = store.Credential

	// SignerClients are the clients in a store.
	SignerClients = store.Clients
)

// RemoteSignerOptions says how a remote signer works.
type RemoteSignerOptions struct {
	// Identify finds out which client asks.
	Identify identity.Identifier

	// Webhook is asked before each payment; nil is none.
	Webhook *remote.Webhook

	// MaxPrices are the highest prices that are paid for any client.
	MaxPrices live.MaxPrices

	// Discovery lists orchestrators; nil lists none.
	Discovery *DiscoveryOptions

	// Rate bounds how often one client may ask.
	Rate remote.Rate

	// Log gets a line for each request.
	Log *slog.Logger
}

// RemoteSigner signs payments for gateways and SDKs that hold no key. It has no way to fund,
// unlock, withdraw or send.
type RemoteSigner struct {
	server *remote.Server
	cache  *facts.Cache
	queue  *store.LiveQueue

	// directory is nil without discovery.
	directory *runner.Directory
}

// NewRemoteSigner is a remote signer for the wallet's account, whose key it opens. The wallet is
// closed after it. It fails as Account.Unlock and the wallet's node do.
func NewRemoteSigner(ctx context.Context, w *Wallet, o RemoteSignerOptions) (*RemoteSigner, error) {
	if err := w.requireAccount(); err != nil {
		return nil, err
	}
	key, err := w.Account.Unlock(ctx)
	if err != nil {
		return nil, err
	}
	node, err := w.connect(ctx)
	if err != nil {
		return nil, err
	}
	limits := w.Limits.Bound("the remote signer")
	clock := facts.Clock{Wall: w.Now, Elapsed: facts.ElapsedSince(time.Now())}
	s := &RemoteSigner{cache: facts.New(node, key.Address(), clock, time.After, limits.MaxHeadAge/facts.Looks)}
	// The first request need not wait, and what is wrong with the node shows before it.
	if _, _, err := s.cache.Renew(ctx, nil); err != nil {
		return nil, err
	}
	var listed remote.Directory
	if o.Discovery != nil {
		if s.directory, err = o.Discovery.directory(ctx, key, node, o.MaxPrices); err != nil {
			return nil, err
		}
		listed = s.directory
	}
	book := w.store.Chain(w.Network.ChainID)
	s.queue = book.LivePayments(key.Address()).Queue()
	s.server, err = remote.New(ctx, remote.Config{
		Key: key, Identify: o.Identify, Clients: w.store.Clients(), Rate: o.Rate, Directory: listed, Log: o.Log, Now: w.Now,
		Payments: &remote.Payer{
			Key: key, Ledger: s.queue, Webhook: o.Webhook, MaxPrices: o.MaxPrices, Now: w.Now,
			Source: "pmctl/" + w.store.ID(),
			Plans: &pay.Payer{
				Sender: key.Address(), Limits: limits, Nonces: book, Now: w.Now,
				Chain: facts.Aged{Cache: s.cache, AtMost: limits.MaxHeadAge},
			},
		},
	})
	if err != nil {
		s.queue.Close()
		return nil, err
	}
	return s, nil
}

// Handler answers the requests of the remote signer protocol.
func (s *RemoteSigner) Handler() http.Handler { return s.server.Handler() }

// Run follows the chain and what orchestrators offer until ctx ends.
func (s *RemoteSigner) Run(ctx context.Context) {
	var running sync.WaitGroup
	if s.directory != nil {
		running.Go(func() { s.directory.Run(ctx) })
	}
	s.cache.Run(ctx)
	running.Wait()
}

// Close ends what records payments, after the transaction under way.
func (s *RemoteSigner) Close() { s.queue.Close() }

// SignerClients are the clients of the remote signers that use the wallet's store. It fails with
// ErrNoStore.
func (w *Wallet) SignerClients() (*SignerClients, error) {
	if err := w.requireStore(); err != nil {
		return nil, err
	}
	return w.store.Clients(), nil
}
