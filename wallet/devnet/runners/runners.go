package runners

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm/wire"
)

// Cashier makes a recipient's offers and takes its payments.
type Cashier interface {
	// BaseURL is the recipient's URL in answers to a request.
	BaseURL(*http.Request) string

	// Challenge makes an offer at price wei a unit, with an auth token of a session; "" is a
	// new one.
	Challenge(ctx context.Context, base string, sender common.Address, price int64, session string) (*wire.OrchestratorInfo, error)

	// Pay takes the payment in a request's headers, and returns an offer at the price, in wei
	// a unit, that admit returns; none for 0. It calls admit when the credentials are in
	// order, before any ticket is taken; if that fails, none is.
	Pay(req *http.Request, admit func(Payment) (price int64, err error)) (*wire.OrchestratorInfo, error)

	// Credit is what a sender's tickets for a session are worth, in wei.
	Credit(sender common.Address, session string) *big.Rat
}

// Payment is what a payment says before its tickets are taken.
type Payment struct {
	Sender common.Address

	// Manifest is where it is booked, and AuthSession the session of its auth token.
	Manifest, AuthSession string

	// ExpectedPrice is the price that the sender pays.
	ExpectedPrice *wire.PriceInfo
}

// ErrUnknownRunner is returned for a name that no runner has.
var ErrUnknownRunner = errors.New("unknown runner")

// Runners are a recipient's runners and their sessions.
type Runners struct {
	cashier Cashier
	now     func() time.Time

	mu       sync.Mutex
	runners  []*Runner
	sessions map[string]*session
	live     map[*session]bool // those that are open
	order    []*session        // as they began
}

// New returns runners that a cashier is paid for.
func New(all []Runner, cashier Cashier, now func() time.Time) (*Runners, error) {
	s := &Runners{cashier: cashier, now: now, sessions: map[string]*session{}, live: map[*session]bool{}}
	for _, r := range all {
		if err := r.Check(); err != nil {
			return nil, err
		}
		s.runners = append(s.runners, &r)
	}
	return s, nil
}

// Change changes the runner with a name, from the next request on, unless change fails. It fails
// with ErrUnknownRunner, with change's error, and for settings that no runner can have.
func (s *Runners) Change(name string, change func(*Runner) error) (Runner, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.named(name)
	if r == nil {
		return Runner{}, fmt.Errorf("%w %q", ErrUnknownRunner, name)
	}
	changed := *r
	if err := errors.Join(change(&changed), changed.Check()); err != nil {
		return Runner{}, err
	}
	*r = changed
	return changed, nil
}

func (s *Runners) named(name string) *Runner {
	at := slices.IndexFunc(s.runners, func(r *Runner) bool { return r.Name == name })
	if at < 0 {
		return nil
	}
	return s.runners[at]
}

// runner returns a copy of the runner with a name.
func (s *Runners) runner(name string) (Runner, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.named(name); r != nil {
		return *r, nil
	}
	return Runner{}, refuse(http.StatusNotFound, "live runner not found")
}

// settle charges what is due in the open sessions; the caller holds the lock.
func (s *Runners) settle() {
	now := s.now()
	for one := range s.live {
		if one.settle(now, s.cashier.Credit(one.sender, one.id)); one.state != Open {
			delete(s.live, one)
		}
	}
}

// used is how many sessions of a runner are open; the caller holds the lock.
func (s *Runners) used(r *Runner) (n int) {
	for one := range s.live {
		if one.runner == r {
			n++
		}
	}
	return n
}

// reserve begins a session at the price that its payment expects.
func (s *Runners) reserve(name string, p Payment) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	r, price, known := s.named(name), p.ExpectedPrice.GetPricePerUnit(), s.sessions[p.Manifest]
	switch {
	case r == nil:
		return nil, refuse(http.StatusNotFound, "live runner not found")
	case p.Manifest != p.AuthSession:
		return nil, refuse(http.StatusForbidden, "mismatched manifest and auth token")
	case s.used(r) >= r.Capacity:
		return nil, refuse(http.StatusServiceUnavailable, "no live runner capacity available")
	case known != nil && (known.state == Open || known.runner != r || known.sender != p.Sender):
		return nil, refuse(http.StatusConflict, "live runner session already exists")
	case price < 1 || p.ExpectedPrice.GetPixelsPerUnit() != 1 || r.Unit == Fixed && price != r.Price:
		return nil, refuse(http.StatusBadRequest, fmt.Sprintf("invalid expected price sent with payment: the price is %d wei", r.Price))
	}
	begun := known
	if begun == nil {
		begun = &session{id: p.Manifest, runner: r, sender: p.Sender}
		s.sessions[begun.id] = begun
		s.order = append(s.order, begun)
	} else {
		begun.resumed = true
	}
	begun.begin(price, s.now())
	s.live[begun] = true
	return begun, nil
}

// charge charges a session with a fixed price. It fails if the credit does not cover that.
func (s *Runners) charge(begun *session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if begun.runner.Unit != Fixed {
		return nil
	}
	begun.units = 1
	if begun.cost().Cmp(s.cashier.Credit(begun.sender, begun.id)) > 0 {
		begun.units = 0
		return refuse(http.StatusBadRequest, "Insufficient balance")
	}
	return nil
}

// release ends a session whose first payment was refused, and forgets it unless it was resumed.
func (s *Runners) release(refused *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, refused)
	if refused.resumed {
		refused.state = Stopped
		return
	}
	delete(s.sessions, refused.id)
	s.order = slices.DeleteFunc(s.order, func(other *session) bool { return other == refused })
}

// open returns an open session of a runner.
func (s *Runners) open(name, id string) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if found := s.sessions[id]; found != nil && found.runner.Name == name && found.state == Open {
		return found, nil
	}
	return nil, refuse(http.StatusNotFound, "live runner session not found")
}

// stop ends a session.
func (s *Runners) stop(ended *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if ended.state == Open {
		ended.state = Stopped
		delete(s.live, ended)
	}
}

// PriceFor returns what a sender's open session is offered at, in wei a unit, and false where
// there is none.
func (s *Runners) PriceFor(sender common.Address, id string) (price int64, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	found := s.sessions[id]
	if found == nil || found.sender != sender || found.state != Open || found.runner.Unit == Fixed {
		return 0, false
	}
	if found.runner.SpoilSessions {
		return found.runner.Price, true
	}
	return found.price, true
}

// Sessions returns what is counted of all sessions, in the order in which they began.
func (s *Runners) Sessions() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	out := make([]Session, len(s.order))
	for i, one := range s.order {
		out[i] = one.report(s.cashier.Credit(one.sender, one.id))
	}
	return out
}
