package wallet

import (
	"context"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/runner"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

type (
	// SignerAccount is a client of a remote signer with what was signed for it.
	SignerAccount = store.ClientAccount

	// SignerSession is a session that clients of a remote signer pay.
	SignerSession = store.LiveSession
)

// SignerState is what a remote signer and its store have on record.
type SignerState struct {
	Network string
	ChainID uint64
	Account common.Address
	Now     time.Time

	// Deposit and Reserve are in wei, nil before the first answer from the chain. FactsAge is the
	// age of that answer, and Head the newest block in it, nil if there is none.
	Deposit, Reserve *big.Int
	FactsAge         time.Duration
	Head             *chain.Head

	// Made are all tickets of the account in the store, Budget is what it spent today.
	Made   policy.Sum
	Budget *Budget

	// Clients are by name, Sessions those that were paid within the last day, newest first.
	Clients  []SignerAccount
	Sessions []*SignerSession

	// Replicas are the account's signers that were seen within the last hour.
	Replicas []SignerReplica

	// Usage are the events that the collector has not acknowledged; nil without a collector.
	Usage *store.Backlog

	// Listed are the orchestrators that clients are shown; nil without discovery.
	Listed *runner.Listing

	// Runway is the last forecast; nil before the first, or with the reason in RunwayErr.
	Runway    *Runway
	RunwayErr error
}

// Sessions of a SignerState.
const (
	sessionsShown = 50
	sessionsSince = 24 * time.Hour
)

// State returns what the signer and its store have on record. It asks no node. If the store cannot
// be read, it returns the error with what the signer has without it: Made and Budget, Clients and
// Sessions, Replicas and Usage are then empty.
func (s *RemoteSigner) State(ctx context.Context) (*SignerState, error) {
	known := s.known()
	state := *known
	if err := s.addStored(ctx, &state); err != nil {
		return known, err
	}
	return &state, nil
}

// known is the part of the state that is not in the store.
func (s *RemoteSigner) known() *SignerState {
	w := s.wallet
	state := &SignerState{Network: w.Network.Name, ChainID: w.Network.ChainID, Account: s.key.Address(), Now: w.Now()}
	if said, age, ok := s.cache.Known(); ok && said.Sender != nil {
		state.FactsAge, state.Deposit, state.Reserve = age, num.OrZero(said.Sender.Deposit), num.OrZero(remaining(said.Sender))
	}
	if head, ok := w.node.NewestHead(); ok {
		state.Head = &head
	}
	if s.forecasts != nil {
		state.Runway, state.RunwayErr = s.forecasts.last()
	}
	if s.directory != nil {
		state.Listed, _ = s.directory.List()
	}
	return state
}

// addStored adds the part of the state that is in the store.
func (s *RemoteSigner) addStored(ctx context.Context, state *SignerState) (err error) {
	stored, ledger, now := s.wallet.store, s.wallet.ledger(), state.Now
	if state.Made, err = ledger.Made(ctx, state.Account); err != nil {
		return err
	}
	if state.Budget, err = budgetOf(ctx, ledger, state.ChainID, state.Account, s.limits(), now); err != nil {
		return err
	}
	if state.Clients, err = stored.Clients().Accounts(ctx, now); err != nil {
		return err
	}
	if state.Replicas, err = s.announcer.replicas(ctx); err != nil {
		return err
	}
	if s.collects {
		usage, err := stored.LiveUsage().Backlog(ctx, store.ConsumerCollector)
		if err != nil {
			return err
		}
		state.Usage = &usage
	}
	state.Sessions, err = stored.LiveUsage().Sessions(ctx, now.Add(-sessionsSince), sessionsShown)
	return err
}

// SignerAllowance is one of a client's allowances, with what was spent of it. Limit is nil if
// there is none.
type SignerAllowance struct {
	Name  store.Allowance
	Spent *big.Rat
	Limit *wei.Wei
}

// SignerAllowances returns a client's allowances.
func SignerAllowances(a SignerAccount) []SignerAllowance {
	return []SignerAllowance{
		{store.AllowEVPerDay, num.OrZero(a.Spent.Today.EV), a.Terms.EVPerDay},
		{store.AllowFaceValuePerDay, new(big.Rat).SetInt(num.OrZero(a.Spent.Today.FaceValue)), a.Terms.FaceValuePerDay},
		{store.AllowEVTotal, num.OrZero(a.Spent.Total.EV), a.Terms.EVTotal},
	}
}

// Left is what the limit leaves to spend; nil without a limit.
func (a SignerAllowance) Left() *big.Rat { return leftOf(a.Limit, a.Spent) }
