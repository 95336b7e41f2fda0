package agent

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/clock"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/internal/facts"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// Key is an agent's signing key, in the memory of its process.
type Key interface {
	signer.Source

	// LockMemory keeps the key out of swap.
	LockMemory() error
}

// Config configures a Service.
type Config struct {
	// Signer is the open key. The service closes it.
	Signer Key

	// Network is the network to sign for. Chain reads it; nil without a node. Broker returns the
	// address of its TicketBroker.
	Network chain.Network
	Chain   facts.Chain
	Broker  func(context.Context) (common.Address, error)

	// Store reserves the nonces and counts the budgets.
	Store *store.Store

	// Limits are the user's limits, which bind all clients. Facts older than their MaxHeadAge are
	// not used.
	Limits policy.Limits

	// Idle is how long the key stays open unused, Lifetime how long in any case; 0 is no limit.
	Idle, Lifetime time.Duration

	// Version is the program's version, for the status.
	Version string

	// Now is the clock, and After a timer; nil for those of package time.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// Service signs for one account, within the user's limits, until it is locked. It is safe for
// concurrent use.
type Service struct {
	Config
	facts  *facts.Cache
	pinned bool
	since  time.Time

	mu       sync.Mutex
	used     time.Time // when the key was last used
	lockedBy string    // "" while the key is open

	batches, tickets, requests, transactions, refused atomic.Int64
}

// New returns a service with an open key.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.After == nil {
		c.After = time.After
	}
	c.Limits = c.Limits.Bound("the agent")
	s := &Service{Config: c}
	s.pinned = c.Signer.LockMemory() == nil
	s.since = s.Now()
	s.used = s.since
	s.facts = facts.New(c.Chain, c.Signer.Address(), c.Now, c.After, func() time.Duration { return c.Limits.MaxHeadAge / facts.Looks })
	return s
}

// Run follows the chain and closes the key when it expires, until ctx ends. The key is closed
// when Run returns.
func (s *Service) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var following sync.WaitGroup
	if s.Chain != nil {
		following.Go(func() { s.facts.Run(ctx) })
	}
	for ctx.Err() == nil {
		var due <-chan time.Time
		if left, ends := s.left(); ends {
			due = s.After(left)
		}
		select {
		case <-ctx.Done():
		case <-due:
			s.expire()
		}
	}
	s.Lock("it is stopping")
	following.Wait()
}

// left returns the time until the key must be closed, and whether it must be. While the key is open
// it is never 0, which would make a caller wait in a busy loop.
func (s *Service) left() (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left, why := s.remaining()
	if s.lockedBy != "" || why == "" {
		return 0, false
	}
	// A clock may be set and a machine may sleep, so the time is checked at least this often.
	const most = time.Minute
	return min(max(left, time.Millisecond), most), true
}

// remaining returns the time until the key must be closed, and why; "" for never. Setting a clock
// back keeps no key open. The caller holds the mutex.
func (s *Service) remaining() (left time.Duration, why string) {
	if s.Lifetime > 0 {
		age, _ := clock.Age(s.Now(), s.since)
		left, why = s.Lifetime-age, fmt.Sprintf("its lifetime of %s has ended", duration.Text(s.Lifetime))
	}
	if s.Idle > 0 {
		age, _ := clock.Age(s.Now(), s.used)
		if idle := s.Idle - age; why == "" || idle < left {
			left, why = idle, fmt.Sprintf("it was not used for %s", duration.Text(s.Idle))
		}
	}
	return left, why
}

// expire closes the key at the end of its lifetime.
func (s *Service) expire() {
	s.mu.Lock()
	left, why := s.remaining()
	over := why != "" && left <= 0
	s.mu.Unlock()
	if over {
		s.Lock(why)
	}
}

// Lock overwrites the key in memory, after a signature in progress. why is for people. The service
// continues to follow the chain and to report its status.
func (s *Service) Lock(why string) {
	s.mu.Lock()
	if s.lockedBy == "" {
		s.lockedBy = why
	}
	s.mu.Unlock()
	s.Signer.Close()
}

// unlocked returns the open key and counts as its use. It returns ErrLocked.
func (s *Service) unlocked() (signer.Source, error) {
	s.expire()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lockedBy != "" {
		return nil, LockedError(s.lockedBy)
	}
	s.used = s.Now()
	return s.Signer, nil
}

// Status returns what the agent reports about itself.
func (s *Service) Status() *Status {
	s.expire()
	s.mu.Lock()
	defer s.mu.Unlock()
	status := &Status{
		PID: os.Getpid(), Version: s.Version, Account: format.Address(s.Signer.Address()),
		Network: s.Network.Name, ChainID: format.Nat(s.Network.ChainID), StoreID: s.Store.ID(),
		Locked: s.lockedBy != "", LockedBy: s.lockedBy, MemoryLocked: s.pinned && s.lockedBy == "",
		Since: s.since.UTC().Truncate(time.Second),
		Counts: Counts{
			Batches: format.Num(s.batches.Load()), Tickets: format.Num(s.tickets.Load()), Requests: format.Num(s.requests.Load()),
			Transactions: format.Num(s.transactions.Load()), Refused: format.Num(s.refused.Load()),
		},
	}
	if s.lockedBy == "" {
		status.IdleUntil, status.Until = until(s.used, s.Idle), until(s.since, s.Lifetime)
	}
	if said, age, ok := s.facts.Known(); ok {
		block, ms := format.Num(said.LastSeenL1Block.Int64()), format.Num(age.Milliseconds())
		status.L1Block, status.HeadAge = &block, &ms
	}
	if err := s.facts.Failed(); err != nil {
		status.HeadError = err.Error()
	}
	return status
}

// until returns the end of a period from a moment on; nil without one.
func until(from time.Time, length time.Duration) *time.Time {
	if length <= 0 {
		return nil
	}
	at := from.Add(length).UTC().Truncate(time.Second)
	return &at
}

// within returns how old facts may be for a client that asks for at most asked; 0 is the user's
// limit, which a client cannot loosen.
func (s *Service) within(asked time.Duration) time.Duration {
	if asked <= 0 {
		return s.Limits.MaxHeadAge
	}
	return min(asked, s.Limits.MaxHeadAge)
}
