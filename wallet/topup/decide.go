package topup

import (
	"math/big"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/wei"
)

// State is what a decision goes by.
type State struct {
	// Balance is the paying account's ether.
	Balance wei.Wei

	// Deposit, Reserve and Lock are the sender's, whose funds are kept. PoolSize is how many
	// recipients share the reserve.
	Deposit, Reserve wei.Wei
	Lock             broker.Lock
	PoolSize         uint64

	// Withdrawn reports whether an empty sender has withdrawn its funds.
	Withdrawn bool

	// Lasting is the deposit that lasts the days of the rules, nil without a forecast.
	Lasting *wei.Wei

	// Promised is the outstanding tickets' face value, and what is left of clients' allowances.
	Promised wei.Wei

	// MovedToday and MovedTotal are what earlier top-ups moved, or may still.
	MovedToday, MovedTotal wei.Wei
}

// Leaving returns why nothing is added to funds on their way out; "" if they are not.
func (s State) Leaving() Reason {
	switch {
	case s.Lock == broker.Unlocking || s.Lock == broker.Unlocked:
		return Unlocking
	case s.Lock == broker.Empty && s.Withdrawn:
		return Withdrawn
	}
	return ""
}

// Reason is why less is added than is needed, as a code.
type Reason string

// The reasons of Decide.
const (
	// Unlocking is a deposit and reserve that are being unlocked, or are unlocked.
	Unlocking Reason = "unlocking"

	// Withdrawn is a sender that has withdrawn everything, and has funded nothing since.
	Withdrawn Reason = "withdrawn"

	// Balance is a paying account that has too little above GasKept.
	Balance Reason = "balance"

	// MaxPerDay and MaxTotal are the ceilings.
	MaxPerDay Reason = "max_per_day"
	MaxTotal  Reason = "max_total"
)

// Decision is what to add, and why it is less than is needed.
type Decision struct {
	// NeedDeposit and NeedReserve are what the rules ask for.
	NeedDeposit wei.Wei `json:"need_deposit"`
	NeedReserve wei.Wei `json:"need_reserve"`

	// AddDeposit and AddReserve are multiples of the rules' step.
	AddDeposit wei.Wei `json:"add_deposit"`
	AddReserve wei.Wei `json:"add_reserve"`

	// Reason is set if the funds will lack something even so.
	Reason Reason `json:"-"`
}

// Adds reports whether there is something to add.
func (d Decision) Adds() bool { return !d.AddDeposit.IsZero() || !d.AddReserve.IsZero() }

// Needed reports whether the funds still lack something that the decision adds to.
func (d Decision) Needed(deposit, reserve wei.Wei) bool {
	return !d.AddDeposit.IsZero() && deposit.Cmp(d.NeedDeposit) < 0 || !d.AddReserve.IsZero() && reserve.Cmp(d.NeedReserve) < 0
}

// with returns the decision to do a top-up of an earlier one, whatever the bounds are now.
func (d Decision) with(a Action) Decision {
	d.AddDeposit, d.AddReserve, d.Reason = a.Deposit, a.Reserve, ""
	return d
}

// Decide applies the rules to a state:
//
//	reserve needed = max(Reserve, ReserveFaceValues · FaceValue · PoolSize)
//	deposit needed = max(Deposit, Lasting, Promised)
//
// What is missing of each is rounded up to a multiple of Step. If a bound allows less, the largest
// multiple within it is added, to the reserve first: without it recipients take no tickets. Nothing
// is added during an unlock or after a withdrawal. It returns wei.ErrRange for needs beyond
// 256 bits.
func Decide(r Rules, s State) (Decision, error) {
	var d Decision
	var err error
	if d.NeedReserve, err = r.reserve(s); err != nil {
		return d, err
	}
	d.NeedDeposit = r.deposit(s)
	if s.Deposit.Cmp(d.NeedDeposit) >= 0 && s.Reserve.Cmp(d.NeedReserve) >= 0 {
		return d, nil
	}
	if d.Reason = s.Leaving(); d.Reason != "" {
		return d, nil
	}
	allowed, bound := r.allowed(s)
	step := num.Max(r.Step.Big(), big.NewInt(1))
	for _, part := range []struct {
		need, have wei.Wei
		add        *wei.Wei
	}{{d.NeedReserve, s.Reserve, &d.AddReserve}, {d.NeedDeposit, s.Deposit, &d.AddDeposit}} {
		want := roundUp(missing(part.need, part.have), step)
		add := roundDown(num.Min(want, allowed), step)
		if add.Cmp(want) < 0 {
			d.Reason = bound
		}
		allowed = new(big.Int).Sub(allowed, add)
		if *part.add, err = wei.FromBig(add); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (r Rules) reserve(s State) (wei.Wei, error) {
	need := new(big.Int)
	if r.ReserveFaceValues > 0 && r.FaceValue != nil {
		need.Mul(r.FaceValue.Big(), new(big.Int).SetUint64(r.ReserveFaceValues))
		need.Mul(need, new(big.Int).SetUint64(max(1, s.PoolSize)))
	}
	if r.Reserve != nil && r.Reserve.Big().Cmp(need) > 0 {
		need = r.Reserve.Big()
	}
	return wei.FromBig(need)
}

func (r Rules) deposit(s State) wei.Wei {
	var need wei.Wei
	floors := []*wei.Wei{r.Deposit}
	if r.DepositDays > 0 {
		floors = append(floors, s.Lasting)
	}
	if r.DepositPromised {
		floors = append(floors, &s.Promised)
	}
	for _, floor := range floors {
		if floor != nil && floor.Cmp(need) > 0 {
			need = *floor
		}
	}
	return need
}

// allowed returns the most that may be moved now, and the bound that says so.
func (r Rules) allowed(s State) (*big.Int, Reason) {
	most, by := missing(s.Balance, r.GasKept), Balance
	for _, ceiling := range []struct {
		most  *wei.Wei
		moved wei.Wei
		by    Reason
	}{{r.MaxPerDay, s.MovedToday, MaxPerDay}, {r.MaxTotal, s.MovedTotal, MaxTotal}} {
		if ceiling.most == nil {
			continue
		}
		if left := missing(*ceiling.most, ceiling.moved); left.Cmp(most) <= 0 {
			most, by = left, ceiling.by
		}
	}
	return most, by
}

// missing returns a - b, 0 if that is negative.
func missing(a, b wei.Wei) *big.Int {
	return num.Max(new(big.Int).Sub(a.Big(), b.Big()), new(big.Int))
}

func roundDown(v, step *big.Int) *big.Int {
	return new(big.Int).Sub(v, new(big.Int).Mod(v, step))
}

func roundUp(v, step *big.Int) *big.Int {
	return roundDown(new(big.Int).Add(v, new(big.Int).Sub(step, big.NewInt(1))), step)
}
