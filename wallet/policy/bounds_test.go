package policy

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/wei"
)

// TestEachLimitBindsInItsDirection sets each limit in a binding place: what is looser is
// refused, what is tighter is taken, and the same again is no change.
func TestEachLimitBindsInItsDirection(t *testing.T) {
	for name, c := range map[string]struct{ bound, looser, tighter Rules }{
		"max_ticket_ev":      {Rules{Values: Values{MaxTicketEV: gweis(10)}}, Rules{Values: Values{MaxTicketEV: gweis(11)}}, Rules{Values: Values{MaxTicketEV: gweis(9)}}},
		"max_total_ev":       {Rules{Values: Values{MaxTotalEV: gweis(10)}}, Rules{Values: Values{MaxTotalEV: gweis(11)}}, Rules{Values: Values{MaxTotalEV: gweis(9)}}},
		"max_face_value":     {Rules{Values: Values{MaxFaceValue: gweis(10)}}, Rules{Values: Values{MaxFaceValue: gweis(11)}}, Rules{Values: Values{MaxFaceValue: gweis(9)}}},
		"max_gas_price":      {Rules{Values: Values{MaxGasPrice: gweis(10)}}, Rules{Values: Values{MaxGasPrice: gweis(11)}}, Rules{Values: Values{MaxGasPrice: gweis(9)}}},
		"max_fee":            {Rules{Values: Values{MaxFee: gweis(10)}}, Rules{Values: Values{MaxFee: gweis(11)}}, Rules{Values: Values{MaxFee: gweis(9)}}},
		"deposit_multiplier": {Rules{Values: Values{DepositMultiplier: Count(3)}}, Rules{Values: Values{DepositMultiplier: Count(2)}}, Rules{Values: Values{DepositMultiplier: Count(4)}}},
		"nonce_cap":          {Rules{Values: Values{NonceCap: Count(300)}}, Rules{Values: Values{NonceCap: Count(301)}}, Rules{Values: Values{NonceCap: Count(299)}}},
		"max_head_age":       {Rules{Values: Values{MaxHeadAge: Age(20 * time.Second)}}, Rules{Values: Values{MaxHeadAge: Age(21 * time.Second)}}, Rules{Values: Values{MaxHeadAge: Age(19 * time.Second)}}},
	} {
		t.Run(name, func(t *testing.T) {
			bound := c.bound
			bound.Binding, bound.Where = true, in("a file")
			limits, err := Default().With(bound)
			require.NoError(t, err)
			for _, rules := range []*Rules{&c.bound, &c.looser, &c.tighter} {
				rules.Where = Setting.Flag
			}
			_, err = limits.With(c.looser)
			require.ErrorIs(t, err, ErrLimit)
			again, err := limits.With(c.bound)
			require.NoError(t, err, "the same is no looser")
			require.Equal(t, limits.Limits, again.Limits)
			tighter, err := limits.With(c.tighter)
			require.NoError(t, err)
			_, err = tighter.With(c.bound)
			require.ErrorIs(t, err, ErrLimit, "what tightens a binding limit binds")
		})
	}
}

func TestSumsAreEqualInEveryPart(t *testing.T) {
	one := Cost(1, big.NewRat(1, 2), big.NewInt(3))
	require.True(t, one.Equal(Cost(1, big.NewRat(1, 2), big.NewInt(3))))
	require.True(t, Sum{}.Equal(Sum{EV: new(big.Rat), FaceValue: new(big.Int)}))
	for _, other := range []Sum{
		{Tickets: 2, EV: one.EV, FaceValue: one.FaceValue},
		{Tickets: 1, EV: big.NewRat(1, 3), FaceValue: one.FaceValue},
		{Tickets: 1, EV: one.EV, FaceValue: big.NewInt(4)},
	} {
		require.False(t, one.Equal(other))
	}
	require.EqualValues(t, 3, one.Plus(Cost(2, nil, nil)).Tickets)
}

// TestRefusalsAreLimits: the exit code of each comes from what it matches.
func TestRefusalsAreLimits(t *testing.T) {
	for _, err := range []error{
		&BudgetError{Limit: wei.FromUint64(1), Asked: new(big.Rat), Spent: new(big.Rat)},
	} {
		require.ErrorIs(t, err, ErrLimit)
		require.NotErrorIs(t, err, ErrFunds)
	}
}

// TestWhatFitsIntoABudget is how many tickets a refusal says can still be made.
func TestWhatFitsIntoABudget(t *testing.T) {
	fit := func(spent, asked int64, reason string) int64 {
		e := &BudgetError{Limit: wei.FromUint64(100), Spent: big.NewRat(spent, 1), Tickets: 10, Asked: big.NewRat(asked, 1), Reason: reason}
		return e.fit().Int64()
	}
	require.EqualValues(t, 5, fit(0, 200, ""))
	require.EqualValues(t, 1, fit(80, 200, ""))
	require.Zero(t, fit(100, 200, ""))
	require.Zero(t, fit(101, 200, ""))
	require.Zero(t, fit(0, 200, "the store was restored"))
	require.Zero(t, fit(0, 0, ""))
}

func TestTheHeadMayBeHalfAMinuteOld(t *testing.T) {
	require.Equal(t, 30*time.Second, Default().MaxHeadAge)
}

// TestTheMostTicketsOfASession is the cap itself, and one more than it.
func TestTheMostTicketsOfASession(t *testing.T) {
	limits := Default()
	limits.NonceCap = 5
	limits.MaxTotalEV = big.NewRat(1<<62, 1)
	require.NoError(t, limits.CheckParams(goodParams(), 5))
	require.Error(t, limits.CheckParams(goodParams(), 6))
}

// TestAtTheLimitNothingFits: a budget that is spent exactly has room for no ticket.
func TestAtTheLimitNothingFits(t *testing.T) {
	spent := BudgetError{Setting: EVPerDay, Limit: wei.FromUint64(100), Spent: big.NewRat(100, 1), Tickets: 1, Asked: big.NewRat(1, 1)}
	require.NotContains(t, Default().refuseBudget(&spent).(interface{ Hint() string }).Hint(), "at most")
}
