package recipient

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/params"
	"google.golang.org/grpc"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet/runners"
)

// Recipient is a running recipient.
type Recipient struct {
	cfg       Config
	recipient pm.Recipient
	// expensive makes params above a sender's default limits. It shares recipient's secret, so
	// that recipient accepts their tickets.
	expensive pm.Recipient
	monitor   *pm.LocalSenderMonitor
	winners   *winners
	authority *authority
	ledger    *ledger
	runners   *runners.Runners
	faults    faultSet
	held      atomic.Int64 // requests that a fault delays
	grpc      *grpc.Server
	listeners *listeners
}

// Start serves a recipient until its Close.
func Start(cfg Config) (*Recipient, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	r := &Recipient{cfg: cfg, ledger: newLedger()}
	for _, fault := range cfg.Faults {
		if err := r.faults.set(fault, true); err != nil {
			return nil, err
		}
	}
	var err error
	if r.authority, err = newAuthority(); err != nil {
		return nil, err
	}
	if r.runners, err = runners.New(cfg.Runners, cashier{r}, cfg.Now); err != nil {
		return nil, err
	}
	if r.winners, err = openWinners(&r.cfg); err != nil {
		return nil, err
	}
	if err := r.serve(); err != nil {
		return nil, errors.Join(err, r.winners.close())
	}
	return r, nil
}

// serve starts to accept payments and to redeem.
func (r *Recipient) serve() error {
	if err := r.newTicketing(); err != nil {
		return err
	}
	r.grpc = grpc.NewServer()
	wire.RegisterOrchestratorServer(r.grpc, r)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /payment", r.servePayment)
	mux.HandleFunc("GET /status", r.serveStatus)
	r.runners.Handle(mux)
	var err error
	if r.listeners, err = listen(r.cfg.Now()); err != nil {
		return err
	}
	r.monitor.Start()
	r.listeners.serve(r.withFaults(splitGRPC(r.grpc, mux)))
	return nil
}

// newTicketing assembles package pm's parts.
func (r *Recipient) newTicketing() error {
	economy := &r.cfg.Economy
	gasPrice := fixedGasPrice{economy.GasPrice}
	r.monitor = pm.NewSenderMonitor(&pm.LocalSenderMonitorConfig{
		Claimant:        r.cfg.Address,
		CleanupInterval: time.Minute,
		TTL:             int(time.Hour / time.Second),
		RedeemGas:       economy.Tickets.RedeemGas,
		SuggestGasPrice: func(context.Context) (*big.Int, error) { return gasPrice.GasPrice(), nil },
		RPCTimeout:      10 * time.Second,
		OnRedemption:    r.redemption,
	}, r.cfg.Broker, r.cfg.Senders, r.cfg.Time, r.winners)

	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return err
	}
	validator := pm.NewValidator(&pm.DefaultSigVerifier{}, r.cfg.Time)
	with := func(tickets pm.TicketParamsConfig) pm.Recipient {
		return pm.NewRecipientWithSecret(r.cfg.Address, r.cfg.Broker, validator, gasPrice, r.monitor, r.cfg.Time, secret, tickets)
	}
	r.recipient = with(economy.Tickets)
	if economy.MaxFaceValue != nil {
		r.recipient.SetMaxFaceValue(economy.MaxFaceValue)
	}
	r.expensive = with(expensiveTickets(economy))
	return nil
}

// redemption records why a winner is not redeemed.
func (r *Recipient) redemption(attempt pm.RedemptionAttempt) {
	if attempt.Err != nil {
		r.ledger.fail(fmt.Errorf("redeeming: %w", attempt.Err))
	}
}

// synced waits until the recipient has the chain's newest block.
func (r *Recipient) synced(ctx context.Context) error {
	if r.cfg.Sync == nil {
		return nil
	}
	return r.cfg.Sync(ctx)
}

// expensiveTickets is an economy's tickets with an EV twice the sender's default limit, and a
// face value twice that.
func expensiveTickets(economy *Economy) pm.TicketParamsConfig {
	tickets := economy.Tickets
	tickets.EV = big.NewInt(6000 * params.GWei)
	cost := new(big.Int).Mul(economy.GasPrice, big.NewInt(int64(max(1, tickets.RedeemGas))))
	tickets.TxCostMultiplier = 1 + int(new(big.Int).Quo(big.NewInt(12_000*params.GWei), cost).Int64())
	return tickets
}

// splitGRPC sends gRPC requests to server and all others to rest.
func splitGRPC(server *grpc.Server, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isGRPC(r) {
			server.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// Address is the recipient's address on the chain.
func (r *Recipient) Address() common.Address { return r.cfg.Address }

// URL is the service URI over TLS, with a self-signed certificate.
func (r *Recipient) URL() string { return r.listeners.url() }

// PlainURL is the same service without TLS: HTTP/1.1 and h2c.
func (r *Recipient) PlainURL() string { return r.listeners.plainURL() }

// StatusURL answers with Status as JSON.
func (r *Recipient) StatusURL() string { return r.PlainURL() + "/status" }

// SetFault switches a fault, written "name" or "name:value", on or off. It fails with
// ErrUnknownFault.
func (r *Recipient) SetFault(fault string, on bool) error { return r.faults.set(fault, on) }

// ChangeRunner is runners.Runners.Change.
func (r *Recipient) ChangeRunner(name string, change func(*runners.Runner) error) (runners.Runner, error) {
	return r.runners.Change(name, change)
}

// Close frees the ports, ends the requests in flight and the redemptions, and waits for all of
// it. Waiting winners stay in the store, if that stays.
func (r *Recipient) Close() error {
	err := r.listeners.close()
	r.grpc.Stop()
	r.monitor.Stop()
	return errors.Join(err, r.winners.close())
}
