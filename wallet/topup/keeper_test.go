package topup

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/wei"
)

var (
	errDown  = errors.New("the node is down")
	errPrice = errors.New("the gas price is above the limit")
	errKill  = errors.New("killed between signing and sending")
)

// simulation is a chain and a journal, in milli-ether, with everything that can go wrong.
type simulation struct {
	*rand.Rand
	t   *testing.T
	now time.Time

	balance, deposit, reserve, pool int64

	// rate is the wins of a day, faceValue what each takes.
	rate      float64
	faceValue int64
	// spike is set while the gas price is above the limit.
	spike bool

	// actions are the journal, amounts what each moves.
	actions  []Action
	amounts  []int64
	credited map[uint64]int
	// faults is how many of the steps in a hundred fail.
	faults int
}

func milli(n int64) wei.Wei {
	w, _ := wei.FromUint64(1e15).Mul(uint64(max(0, n)))
	return w
}

func inMilli(w wei.Wei) int64 { return w.Big().Div(w.Big(), wei.FromUint64(1e15).Big()).Int64() }

func (s *simulation) fails() bool { return s.IntN(100) < s.faults }

func (s *simulation) Actions(context.Context) ([]Action, error) {
	return slices.Clone(s.actions), nil
}

func (s *simulation) State(context.Context, []Action) (State, error) {
	if s.fails() {
		return State{}, errDown
	}
	lasting := milli(int64(7*1.5*s.rate*float64(s.faceValue)) + 3*s.faceValue)
	return State{
		Balance: milli(s.balance), Deposit: milli(s.deposit), Reserve: milli(s.reserve), Lock: broker.Locked,
		PoolSize: uint64(s.pool), Lasting: &lasting,
	}, nil
}

// Do journals before it sends, as the wallet does. A number that the journal has is continued.
func (s *simulation) Do(_ context.Context, a Action, d Decision) error {
	at := slices.IndexFunc(s.actions, func(b Action) bool { return b.Number == a.Number })
	if !d.Needed(milli(s.deposit), milli(s.reserve)) {
		return ErrNotNeeded
	}
	if at < 0 {
		if s.spike {
			return errPrice
		}
		a.At, a.State = s.now, Pending
		s.actions, at = append(s.actions, a), len(s.actions)
		s.amounts = append(s.amounts, inMilli(a.Deposit)+inMilli(a.Reserve))
	}
	kept := &s.actions[at]
	require.Equal(s.t, a.Deposit, kept.Deposit)
	require.Equal(s.t, a.Reserve, kept.Reserve)
	switch {
	case s.fails():
		return errKill
	case s.fails():
		kept.State = Failed
		return errors.New("reverted")
	case s.fails():
		kept.State = Lost
		return errors.New("another transaction has the nonce")
	}
	kept.State = Done
	s.credited[a.Number]++
	s.balance -= inMilli(a.Deposit) + inMilli(a.Reserve) + 1 // and gas
	s.deposit += inMilli(a.Deposit)
	s.reserve += inMilli(a.Reserve)
	return nil
}

// live lets tickets win for six hours, and returns whether the deposit ran dry.
func (s *simulation) live() (dry bool) {
	s.now = s.now.Add(6 * time.Hour)
	for range 100 {
		if s.Float64() < s.rate/4/100 {
			if s.deposit -= s.faceValue; s.deposit < 0 {
				s.reserve, s.deposit, dry = max(0, s.reserve+s.deposit), 0, true
			}
		}
	}
	switch s.IntN(60) {
	case 0:
		s.rate = []float64{0.5, 2, 5, 20}[s.IntN(4)]
	case 1:
		s.pool = 10 + s.Int64N(30)
	case 2:
		s.spike = !s.spike
	case 3:
		s.balance += s.Int64N(3000)
	}
	return dry
}

// TestTwoHundredWeeks lets a keeper look every six hours, while rates jump, gas is dear, transactions
// fail and runs are killed: no ceiling is passed, nothing is done twice, and after each look
// deposit and reserve are what is needed unless a bound or a fault is named.
func TestTwoHundredWeeks(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{0, 5, 11} {
		faults := []int{0, 3, 15}[seed%3]
		s := &simulation{
			Rand: rand.New(rand.NewPCG(seed, 1)), t: t, now: time.Date(2026, 1, 1, 3, 0, 0, 0, time.UTC),
			balance: 5000, deposit: 500, reserve: 500, pool: 20, rate: 2, faceValue: 10, credited: make(map[uint64]int), faults: faults,
		}
		r := rules(t, map[string]string{
			"reserve_face_values": "2", "face_value": "0.01eth", "deposit": "0.1eth", "deposit_days": "7",
			"max_per_day": "3eth", "max_total": "2000eth", "gas_kept": "0.5eth",
		})
		if seed >= 9 { // more than the rules may spend
			most := milli(4000)
			r.MaxTotal = &most
		}
		covered, looks, bounded, faulty := false, 0, 0, 0
		for range 200 * 7 * 4 {
			dry := s.live()
			// What a sound look leaves lasts for seven days; the next look is six hours later.
			require.False(t, dry && covered, "seed %d: the deposit ran dry after a look that found or made it enough", seed)
			before := *s
			k := Keeper{Rules: r, World: s, Now: func() time.Time { return s.now }}
			found, err := k.Look(t.Context())
			if err == nil && found.Resumed {
				before = *s
				found, err = k.Look(t.Context())
			}
			looks++
			short := new(ShortError)
			switch {
			case err == nil:
				enough := s.deposit >= inMilli(found.Decision.NeedDeposit) && s.reserve >= inMilli(found.Decision.NeedReserve) && s.reserve/s.pool >= 2*s.faceValue
				require.True(t, enough, "seed %d: %d of deposit and %d of reserve after %+v", seed, s.deposit, s.reserve, found)
			case errors.As(err, &short):
				bounded++
				s.requireBound(before, r, short)
			default:
				faulty++
				require.False(t, faults == 0 && !s.spike, "seed %d: %v", seed, err)
			}
			covered = err == nil
			s.requireCeilings(r)
		}
		for number, times := range s.credited {
			require.Equal(t, 1, times, "top-up %d", number)
		}
		require.Greater(t, len(s.credited), 5, "seed %d", seed)
		t.Logf("seed %d: %d looks, %d top-ups, %d bounded, %d faulty", seed, looks, len(s.credited), bounded, faulty)
	}
}

// requireBound fails unless the bound that is named leaves less than a step.
func (s *simulation) requireBound(before simulation, r Rules, short *ShortError) {
	left := map[Reason]int64{
		Balance:   before.balance - inMilli(r.GasKept),
		MaxPerDay: inMilli(*r.MaxPerDay) - before.moved(true),
		MaxTotal:  inMilli(*r.MaxTotal) - before.moved(false),
	}[short.Reason]
	added := inMilli(short.Decision.AddDeposit) + inMilli(short.Decision.AddReserve)
	require.Less(s.t, left-added, inMilli(r.Step), "%v", short)
}

// moved adds up what is or may be credited.
func (s *simulation) moved(today bool) (sum int64) {
	for i, a := range slices.Backward(s.actions) {
		if today && a.At.YearDay() != s.now.YearDay() {
			break
		}
		if a.State != Failed && a.State != Lost {
			sum += s.amounts[i]
		}
	}
	return sum
}

func (s *simulation) requireCeilings(r Rules) {
	day, all := s.moved(true), s.moved(false)
	if day > inMilli(*r.MaxPerDay) || all > inMilli(*r.MaxTotal) || s.balance < inMilli(r.GasKept)-int64(len(s.actions)) {
		require.Fail(s.t, "a bound is passed", "%d today, %d in all, the balance is %d", day, all, s.balance)
	}
}

// TestAPendingTopUpIsContinued is a run that was killed between signing and sending.
func TestAPendingTopUpIsContinued(t *testing.T) {
	t.Parallel()
	s := &simulation{Rand: rand.New(rand.NewPCG(1, 1)), t: t, now: time.Unix(1e9, 0), balance: 5000, deposit: 100, reserve: 100, pool: 1, credited: make(map[uint64]int)}
	r := rules(t, map[string]string{"deposit": "1eth"})
	k := Keeper{Rules: r, World: s, Now: func() time.Time { return s.now }, DryRun: true}
	found, err := k.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, milli(900), found.Action.Deposit)
	require.Empty(t, s.actions, "a dry run does nothing")

	k.DryRun, s.faults = false, 100
	_, err = k.Look(t.Context())
	require.ErrorIs(t, err, errDown)
	require.NoError(t, s.journalOnly(milli(900)))
	s.faults = 0
	more := amount(t, "2eth")
	k.Rules.Deposit = &more // a changed rule does not change what was signed
	found, err = k.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(1), found.Action.Number)
	require.Equal(t, Done, found.Action.State)
	require.True(t, found.Resumed)
	require.Equal(t, int64(1000), s.deposit)
	found, err = k.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(2), found.Action.Number)
	require.Equal(t, int64(2000), s.deposit)
	found, err = k.Look(t.Context())
	require.NoError(t, err)
	require.Nil(t, found.Action)
}

func (s *simulation) journalOnly(deposit wei.Wei) error {
	s.actions = append(s.actions, Action{Number: uint64(len(s.actions) + 1), Deposit: deposit, At: s.now, State: Pending})
	return nil
}

// TestAFailedTopUpIsNotRepeatedAtOnce waits an hour: each attempt costs gas.
func TestAFailedTopUpIsNotRepeatedAtOnce(t *testing.T) {
	t.Parallel()
	s := &simulation{Rand: rand.New(rand.NewPCG(1, 1)), t: t, now: time.Unix(1e9, 0), balance: 5000, deposit: 100, reserve: 100, pool: 1, credited: make(map[uint64]int)}
	s.actions = []Action{{Number: 1, Deposit: milli(900), At: s.now, State: Failed}}
	k := Keeper{Rules: rules(t, map[string]string{"deposit": "1eth"}), World: s, Now: func() time.Time { return s.now }}
	s.now = s.now.Add(pause - time.Second)
	_, err := k.Look(t.Context())
	require.ErrorAs(t, err, new(*FailedError))
	require.NotContains(t, err.Error(), "top-up 2")
	s.now = s.now.Add(time.Second)
	found, err := k.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(2), found.Action.Number)
}

// TestAFailedTopUpOfAWrongClock was signed while the clock was a month fast: the next one does not wait a month.
func TestAFailedTopUpOfAWrongClock(t *testing.T) {
	t.Parallel()
	s := &simulation{Rand: rand.New(rand.NewPCG(1, 1)), t: t, now: time.Unix(1e9, 0), balance: 5000, deposit: 100, reserve: 100, pool: 1, credited: make(map[uint64]int)}
	s.actions = []Action{{Number: 1, Deposit: milli(900), At: s.now.Add(30 * 24 * time.Hour), State: Failed}}
	s.amounts = []int64{900}
	k := Keeper{Rules: rules(t, map[string]string{"deposit": "1eth"}), World: s, Now: func() time.Time { return s.now }}
	found, err := k.Look(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(2), found.Action.Number)
}

// TestATopUpOfAWrongClock counts against no day but its own: the ceiling of every day until then would
// be used up.
func TestATopUpOfAWrongClock(t *testing.T) {
	t.Parallel()
	s := &simulation{Rand: rand.New(rand.NewPCG(1, 1)), t: t, now: time.Unix(1e9, 0), balance: 5000, deposit: 100, reserve: 100, pool: 1, credited: make(map[uint64]int)}
	s.actions = []Action{{Number: 1, Deposit: milli(900), At: s.now.Add(30 * 24 * time.Hour), State: Done}}
	s.amounts = []int64{900}
	k := Keeper{Rules: rules(t, map[string]string{"deposit": "1eth", "max_per_day": "1eth"}), World: s, Now: func() time.Time { return s.now }}
	found, err := k.Look(t.Context())
	require.NoError(t, err)
	require.True(t, found.State.MovedToday.IsZero())
	require.Equal(t, milli(900), found.State.MovedTotal)
	s.now, s.deposit = s.actions[0].At, 100
	_, err = k.Look(t.Context())
	require.ErrorAs(t, err, new(*ShortError))
}
