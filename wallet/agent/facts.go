package agent

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
)

// Chain reads what a sender's checks need; *chain.Client is one.
type Chain interface {
	Facts(ctx context.Context, sender common.Address) (pm.Facts, error)
}

// facts keeps what the chain says of one sender, with its age. Run renews it in the
// background, so that whoever asks does not wait.
type facts struct {
	chain  Chain
	sender common.Address
	now    func() time.Time
	after  func(time.Duration) <-chan time.Time
	// every is the time from one look at the chain to the next.
	every time.Duration

	// asking is held while the chain is asked: others wait for that answer.
	asking sync.Mutex

	mu   sync.Mutex
	last pm.Facts
	// at is when the chain was asked for last; zero when it never answered.
	at  time.Time
	err error
}

// looks is how often the chain is looked at within the age that is allowed: one look may
// fail, and another one take its time.
const looks = 3

// askTimeout bounds one look at the chain.
const askTimeout = 10 * time.Second

// run looks at the chain until ctx ends.
func (f *facts) run(ctx context.Context) {
	for ctx.Err() == nil {
		_, _, _ = f.fetch(ctx, f.now()) // the error is kept
		select {
		case <-ctx.Done():
		case <-f.after(f.every):
		}
	}
}

// known returns what the chain said last, and how old that is. A clock that was set
// back tells nothing about it.
func (f *facts) known() (said pm.Facts, age time.Duration, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	age = f.now().Sub(f.at)
	return f.last, age, !f.at.IsZero() && age >= 0
}

// get returns what is known when it is not older than atMost, or else asks the chain. It
// fails with *StaleError.
func (f *facts) get(ctx context.Context, atMost time.Duration) (pm.Facts, time.Duration, error) {
	if said, age, ok := f.known(); ok && age <= atMost {
		return said, age, nil
	}
	said, age, err := f.fetch(ctx, f.now().Add(-atMost))
	if err != nil {
		_, age, _ = f.known()
		if f.never() {
			age = 0
		}
		return pm.Facts{}, 0, &StaleError{Account: f.sender, Age: age, Max: atMost, Err: err}
	}
	return said, age, nil
}

func (f *facts) never() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at.IsZero()
}

// errNoNode is why an agent knows nothing that was started without a node.
var errNoNode = errors.New("it was started without a node to ask")

// fetch asks the chain, unless somebody else has done so since.
func (f *facts) fetch(ctx context.Context, since time.Time) (pm.Facts, time.Duration, error) {
	if f.chain == nil {
		return pm.Facts{}, 0, errNoNode
	}
	f.asking.Lock()
	defer f.asking.Unlock()
	if said, age, ok := f.known(); ok && f.now().Add(-age).After(since) {
		return said, age, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	begun := f.now()
	said, err := f.chain.Facts(ctx, f.sender)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err = err; err != nil {
		return pm.Facts{}, 0, err
	}
	f.last, f.at = said, begun
	return said, f.now().Sub(begun), nil
}

// failed returns why the newest look at the chain failed, nil when it did not.
func (f *facts) failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
