package runners

import (
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// interval is how often a session's units are charged.
const interval = 5 * time.Second

// State is how far a session is.
type State string

// The states.
const (
	Open    State = "open"
	Stopped State = "stopped" // by its client, or because the call has ended
	Unpaid  State = "unpaid"  // by the recipient: the credit did not cover the cost
)

// session is a client's use of a runner. Single-shot calls have one too, while they last. A
// client may use its auth token for another one later: that resumes the session.
type session struct {
	id     string
	runner *Runner
	sender common.Address
	state  State

	// price is in wei a unit, since the session was begun or resumed.
	price int64
	began time.Time
	units int64 // charged since

	// earlier is what was charged before it was resumed, in units and wei.
	earlierUnits int64
	earlierCost  *big.Rat
	resumed      bool
}

// settle charges what is due at now. credit is what the session was credited, in wei. It ends a
// session whose credit does not cover the cost.
func (s *session) settle(now time.Time, credit *big.Rat) {
	if s.state != Open || s.runner.Unit.perSecond() == 0 {
		return
	}
	due := int64(now.Sub(s.began).Truncate(interval)/time.Second) * s.runner.Unit.perSecond()
	s.units = max(s.units, due)
	if s.cost().Cmp(credit) > 0 {
		s.state = Unpaid
	}
}

// begin begins or resumes the session.
func (s *session) begin(price int64, now time.Time) {
	s.earlierUnits, s.earlierCost = s.earlierUnits+s.units, s.cost()
	s.price, s.began, s.units, s.state = price, now, 0, Open
}

// cost is what was charged, in wei.
func (s *session) cost() *big.Rat {
	cost := new(big.Rat).SetInt(new(big.Int).Mul(big.NewInt(s.price), big.NewInt(s.units)))
	if s.earlierCost != nil {
		cost.Add(cost, s.earlierCost)
	}
	return cost
}

// Session is what the recipient counts of a session.
type Session struct {
	ID     string         `json:"session_id"`
	Runner string         `json:"runner"`
	App    string         `json:"app"`
	Sender common.Address `json:"sender"`
	State  State          `json:"state"`

	// Price is in wei for one Unit, and Units how many were charged.
	Price int64 `json:"price"`
	Unit  Unit  `json:"unit"`
	Units int64 `json:"units"`

	// Credit is the tickets' expected value, Cost what the units cost, and Balance the
	// difference, all in wei and exact.
	Credit  Rational `json:"credit"`
	Cost    Rational `json:"cost"`
	Balance Rational `json:"balance"`
}

// Rational is an exact amount; in JSON it is a string, "a" or "a/b".
type Rational struct{ big.Rat }

// MarshalText writes an integer, or a fraction in lowest terms.
func (r Rational) MarshalText() ([]byte, error) { return []byte(r.RatString()), nil }

func (s *session) report(credit *big.Rat) Session {
	cost := s.cost()
	out := Session{
		ID: s.id, Runner: s.runner.Name, App: s.runner.App, Sender: s.sender, State: s.state,
		Price: s.price, Unit: s.runner.Unit, Units: s.earlierUnits + s.units,
	}
	out.Credit.Set(credit)
	out.Cost.Set(cost)
	out.Balance.Sub(credit, cost)
	return out
}
