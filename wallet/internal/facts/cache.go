// Package facts keeps what the chain says of one sender, so that those who sign for it need
// not ask the chain each time.
package facts

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/clock"
	"github.com/pmctl/pmctl/pm"
)

// Chain reads what a sender's checks need; *chain.Client is one.
type Chain interface {
	Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error)
}

// Cache keeps what the chain says of one sender, with its age. Run renews it in the
// background, so that requests need not wait.
//
// Looks at the chain are numbered, so that "a look that began after this" does not depend
// on a clock. At most one is under way, which all who wait for one share.
type Cache struct {
	chain  Chain
	sender common.Address
	now    func() time.Time
	after  func(time.Duration) <-chan time.Time
	// every returns the time from one look in the background to the next.
	every func() time.Duration

	// asking holds a value while a look is under way.
	asking chan struct{}
	// wanted holds a value when the next look in the background is to be at once.
	wanted chan struct{}

	mu sync.Mutex
	// begun is the number of the newest look, and started when each of the last ones began.
	begun   uint64
	started [LooksASecond]time.Time

	// last is what the look with number lastLook said, which began at.
	last     pm.Facts
	lastLook uint64
	at       time.Time
	// err is why the look with number failedLook failed, when it is newer than lastLook.
	err        error
	failedLook uint64

	// outdated is the newest look that began before something changed.
	outdated uint64
	// signed are transactions that may be mined at any moment.
	signed map[common.Hash]signedTransaction
	// about are the counterparties that each look asks about, with the last time that a
	// request was about them.
	about map[pm.Counterparty]time.Time
}

// signedTransaction is one of the account's that was signed here.
type signedTransaction struct {
	nonce uint64
	at    time.Time
}

const (
	// Looks is how often the chain is looked at within the age that is allowed: one look
	// may fail, and another one take its time.
	Looks = 3

	// LooksASecond bounds how often the node is asked, whatever clients ask for.
	LooksASecond = 5

	// AskTimeout bounds one look at the chain.
	AskTimeout = 10 * time.Second

	// SignedFor is for how long a signed transaction of which no client reports a receipt
	// may be mined at any moment.
	SignedFor = 2 * time.Minute

	// aboutFor is how long after a request the looks ask about its counterparty, and
	// MaxAbout the most counterparties of one look.
	aboutFor = 10 * time.Minute
	MaxAbout = 100
)

// New returns a cache that asks about sender. now is the clock, after tells when some time has passed, every
// is the time from one look in the background to the next, which may change.
func New(chain Chain, sender common.Address, now func() time.Time, after func(time.Duration) <-chan time.Time, every func() time.Duration) *Cache {
	return &Cache{
		chain: chain, sender: sender, now: now, after: after, every: every,
		asking: make(chan struct{}, 1), wanted: make(chan struct{}, 1), signed: make(map[common.Hash]signedTransaction),
		about: make(map[pm.Counterparty]time.Time),
	}
}

// since returns how old a time is, as clock.Age does.
func (f *Cache) since(then time.Time) (age time.Duration, setBack bool) {
	return clock.Age(f.now(), then)
}

// Run looks at the chain until ctx ends.
func (f *Cache) Run(ctx context.Context) {
	for ctx.Err() == nil {
		_, _, _ = f.Renew(ctx, nil) // the error is kept
		select {
		case <-ctx.Done():
		case <-f.wanted:
		case <-f.after(f.every()):
		}
	}
}

// Known returns what the chain said last, and how old that is.
func (f *Cache) Known() (said pm.Facts, age time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	age, setBack := f.since(f.at)
	return f.last, age, f.lastLook > 0 && !setBack
}

// Get returns what is known when it is not older than atMost and nothing has changed
// since, or else asks the chain. It fails with chain.ErrUnreachable.
func (f *Cache) Get(ctx context.Context, atMost time.Duration, about []pm.Counterparty) (pm.Facts, time.Duration, error) {
	said, age, err := f.newest(ctx, about, func(age time.Duration, setBack bool) bool {
		return !setBack && age <= atMost && f.lastLook > f.outdated && !f.mayChange()
	})
	if err == nil {
		return said, age, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	age = 0
	if f.lastLook > 0 {
		age, _ = f.since(f.at)
	}
	return pm.Facts{}, 0, Stale(age, atMost, err)
}

// Renew returns what a look at the chain says that begins after the call.
func (f *Cache) Renew(ctx context.Context, about []pm.Counterparty) (pm.Facts, time.Duration, error) {
	return f.newest(ctx, about, func(time.Duration, bool) bool { return false })
}

// ErrNoNode is why an agent knows nothing that was started without a node.
var ErrNoNode = errors.New("it was started without a node to ask")

// newest returns what is known about all the counterparties when that will do, or else
// what a look says that begins after the call: its own, or that of another who waited for
// one too. Will is called with the lock held.
func (f *Cache) newest(ctx context.Context, about []pm.Counterparty, will func(age time.Duration, setBack bool) bool) (pm.Facts, time.Duration, error) {
	f.mu.Lock()
	called := f.begun
	for _, counterparty := range about {
		f.about[counterparty] = f.now()
	}
	f.mu.Unlock()
	if said, age, err, done := f.settled(called, about, will); done {
		return said, age, err
	}
	if f.chain == nil {
		return pm.Facts{}, 0, ErrNoNode
	}
	select {
	case f.asking <- struct{}{}:
		defer func() { <-f.asking }()
	case <-ctx.Done():
		return pm.Facts{}, 0, context.Cause(ctx)
	}
	if said, age, err, done := f.settled(called, about, will); done {
		return said, age, err
	}
	return f.look(ctx, about)
}

// settled returns what is known when it will do, or what a look said that began after the
// one with the number called.
func (f *Cache) settled(called uint64, about []pm.Counterparty, will func(time.Duration, bool) bool) (said pm.Facts, age time.Duration, err error, done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	age, setBack := f.since(f.at)
	switch {
	case f.last.Knows(about...) && (f.lastLook > called || f.lastLook > 0 && will(age, setBack)):
		return f.last, age, nil, true
	case f.failedLook > called:
		return pm.Facts{}, 0, f.err, true
	}
	return pm.Facts{}, 0, nil, false
}

// look asks the chain. The caller holds asking.
func (f *Cache) look(ctx context.Context, about []pm.Counterparty) (pm.Facts, time.Duration, error) {
	f.mu.Lock()
	oldest := f.started[f.begun%LooksASecond]
	f.mu.Unlock()
	if age, _ := f.since(oldest); age < time.Second {
		select {
		case <-f.after(time.Second - max(age, 0)):
		case <-ctx.Done():
			return pm.Facts{}, 0, context.Cause(ctx)
		}
	}
	begun := f.now()
	f.mu.Lock()
	f.started[f.begun%LooksASecond] = begun
	f.begun++
	number := f.begun
	all := f.recentAbout(about)
	f.mu.Unlock()

	limited, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	said, err := f.chain.Facts(limited, f.sender, all...)
	if err != nil && ctx.Err() != nil {
		return pm.Facts{}, 0, context.Cause(ctx) // which says nothing about the node
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err = err; err != nil {
		f.failedLook = number
		return pm.Facts{}, 0, err
	}
	f.last, f.lastLook, f.at = said, number, begun
	age, _ := f.since(begun)
	return said, age, nil
}

// recentAbout returns what a look asks about: the counterparties of its own request, and
// those of recent ones as far as there is room. The caller holds the lock.
func (f *Cache) recentAbout(own []pm.Counterparty) []pm.Counterparty {
	all := slices.Clone(own)
	for counterparty, used := range f.about {
		switch age, _ := f.since(used); {
		case age > aboutFor:
			delete(f.about, counterparty)
		case len(all) < MaxAbout && !slices.Contains(own, counterparty):
			all = append(all, counterparty)
		}
	}
	return all
}

// Sign notes a transaction that is about to leave: until a client reports its receipt it
// may be mined at any moment, and what is known is not believed.
func (f *Cache) Sign(hash common.Hash, nonce uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signed[hash] = signedTransaction{nonce, f.now()}
}

// Mined notes that one of the account's transactions was mined, signed here or elsewhere,
// and has the chain looked at in the background.
func (f *Cache) Mined(hash common.Hash) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if settled, ok := f.signed[hash]; ok {
		for other, t := range f.signed {
			if t.nonce == settled.nonce { // what it replaced, and what was to replace it
				delete(f.signed, other)
			}
		}
	}
	f.outdated = f.begun
	select {
	case f.wanted <- struct{}{}:
	default:
	}
}

// mayChange reports whether a transaction that was signed here may be mined at this moment.
// The caller holds the lock.
func (f *Cache) mayChange() bool {
	for hash, t := range f.signed {
		if age, _ := f.since(t.at); age > SignedFor {
			delete(f.signed, hash)
		}
	}
	return len(f.signed) > 0
}

// Failed returns why the newest look at the chain failed, nil when it did not.
func (f *Cache) Failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
