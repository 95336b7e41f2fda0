package policy

import (
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/wei"
)

var (
	bob  = common.Address{0xb0}
	carl = common.Address{0xca}
)

// withBudget returns the limits with a budget set in a place.
func withBudget(t *testing.T, l Limits, place string, s Setting, limit uint64) Limits {
	t.Helper()
	l, err := l.With(Rules{
		Values: Values{s: AmountOf(wei.FromUint64(limit))},
		Where:  func(s Setting) string { return string(s) + " in " + place },
	})
	require.NoError(t, err)
	return l
}

func sum(tickets uint64, ev *big.Rat, faceValue int64) Sum {
	return Sum{Tickets: tickets, EV: ev, FaceValue: big.NewInt(faceValue)}
}

// A budget allows what fits it to the last wei, and not a hair more.
func TestBudgetsAreExact(t *testing.T) {
	third := big.NewRat(1, 3)
	spent := Spending{
		Day:        time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		All:        sum(5, big.NewRat(29, 3), 90),
		Recipients: map[common.Address]Sum{bob: sum(2, big.NewRat(14, 3), 40), carl: sum(3, big.NewRat(15, 3), 50)},
	}
	for _, c := range []struct {
		setting Setting
		limit   uint64
		fits    Sum
		exceeds Sum
	}{
		{EVPerDay, 10, sum(1, third, 1000), sum(1, new(big.Rat).Add(third, big.NewRat(1, 1e18)), 0)},
		{FaceValuePerDay, 100, sum(1, big.NewRat(1e9, 1), 10), sum(1, third, 11)},
		{RecipientEVPerDay, 5, sum(1, third, 1000), sum(1, new(big.Rat).Add(third, big.NewRat(1, 1e18)), 0)},
		{RecipientFaceValuePerDay, 50, sum(1, big.NewRat(1e9, 1), 10), sum(1, third, 11)},
	} {
		l := withBudget(t, Default(), "a file", c.setting, c.limit)
		require.NoError(t, l.CheckBudget(bob, c.fits, spent), c.setting)
		err := l.CheckBudget(bob, c.exceeds, spent)
		require.ErrorIs(t, err, ErrLimit, c.setting)
		var refusal *Refusal
		require.ErrorAs(t, err, &refusal)
		require.ErrorContains(t, err, string(c.setting)+" in a file; the day ends at 2026-11-24T00:00:00Z")
		require.Contains(t, refusal.Hint(), "or change "+string(c.setting)+" in a file")
	}
	require.NoError(t, Default().CheckBudget(bob, sum(1, big.NewRat(1e18, 1), 1e18), spent), "no budget is set")
}

func TestARefusalSaysWhatStillFits(t *testing.T) {
	l := withBudget(t, Default(), "a file", EVPerDay, 10)
	spent := Spending{All: sum(1, big.NewRat(4, 1), 4)}
	err := l.CheckBudget(bob, sum(7, big.NewRat(14, 1), 14), spent)
	require.EqualError(t, err, "7 tickets with a total EV of 14 wei would exceed the day's budget of 10 wei, 4 wei of it is spent (ev_per_day in a file; the day ends at 0001-01-02T00:00:00Z)")
	var refusal *Refusal
	require.ErrorAs(t, err, &refusal)
	require.Contains(t, refusal.Hint(), "create at most 3 tickets; ")
}

// Of two budgets the tighter one holds, whichever file it is in.
func TestTheTighterBudgetHolds(t *testing.T) {
	for _, c := range []struct{ first, second uint64 }{{5, 9}, {9, 5}, {5, 5}} {
		l := withBudget(t, withBudget(t, Default(), "first", EVPerDay, c.first), "second", EVPerDay, c.second)
		limit, where := l.Budget(EVPerDay)
		require.Equal(t, min(c.first, c.second), limit.Big().Uint64())
		want := "ev_per_day in first"
		if c.second < c.first {
			want = "ev_per_day in second"
		}
		require.Equal(t, want, where)
	}
}

// If it is not known what was spent on a day, its budget counts as spent.
func TestASpentBudgetAllowsNothing(t *testing.T) {
	l := withBudget(t, Default(), "a file", RecipientFaceValuePerDay, 1000)
	err := l.CheckBudget(bob, sum(1, new(big.Rat), 0), Spending{ExhaustedReason: "the store was copied"})
	require.ErrorIs(t, err, ErrLimit)
	require.ErrorContains(t, err, "which counts as spent: the store was copied")
}
