package forecast

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/wei"
)

func amount(t *testing.T, text string) wei.Wei {
	t.Helper()
	w, err := wei.Parse(text)
	require.NoError(t, err)
	return w
}

func TestFund(t *testing.T) {
	need := Need{Spend: amount(t, "0.3eth").Rat(), FaceValue: amount(t, "0.01eth"), Recipients: 5, PoolSize: 100}
	p, err := Fund(need)
	require.NoError(t, err)
	// With the mean 30 more than 42 wins are more likely than 1 %, more than 43 less.
	require.InDelta(t, 30, p.ExpectedWins, 1e-12)
	require.EqualValues(t, 43, p.Wins)
	require.Less(t, p.Chance, Risk)
	require.GreaterOrEqual(t, Poisson(30).AtLeast(p.Wins), Risk)
	require.Equal(t, amount(t, "0.45eth"), p.Deposit)
	require.Equal(t, amount(t, "1eth"), p.Reserve)

	need.DepositMultiplier, need.PoolSize = 4, 3
	p, err = Fund(need)
	require.NoError(t, err)
	require.Equal(t, amount(t, "0.47eth"), p.Deposit)
	require.Equal(t, amount(t, "0.05eth"), p.Reserve)

	// Whatever multiple of the face value is asked for.
	need.DepositMultiplier = math.MaxUint64
	p, err = Fund(need)
	require.NoError(t, err)
	require.Equal(t, new(big.Rat).Mul(need.FaceValue.Rat(), new(big.Rat).SetInt(new(big.Int).Add(new(big.Int).SetUint64(math.MaxUint64), big.NewInt(43)))), p.Deposit.Rat())

	for name, change := range map[string]func(*Need){
		"face value":    func(n *Need) { n.FaceValue = wei.Wei{} },
		"negative":      func(n *Need) { n.Spend = big.NewRat(-1, 1) },
		"no recipients": func(n *Need) { n.Recipients = 0 },
		"too small":     func(n *Need) { n.FaceValue = wei.FromUint64(1) },
		"too large":     func(n *Need) { n.FaceValue = amount(t, "1"+strings.Repeat("0", 58)+"eth"); n.PoolSize = 100 },
	} {
		bad := need
		change(&bad)
		_, err := Fund(bad)
		require.ErrorIs(t, err, ErrNeed, name)
	}
}

// TestAPlanHolds plays the lottery out: of the deposits that were planned, fewer than one
// in a hundred fall below what the next ticket needs.
func TestAPlanHolds(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	const p, runs = 0.02, 4000
	for _, tickets := range []int{10, 400, 3000} {
		face := amount(t, "0.01eth")
		spend := new(big.Rat).Mul(face.Rat(), new(big.Rat).SetFloat64(p*float64(tickets)))
		plan, err := Fund(Need{Spend: spend, FaceValue: face, Recipients: 3, PoolSize: 3})
		require.NoError(t, err)
		dry := 0
		for range runs {
			left := new(big.Int).Div(plan.Deposit.Big(), face.Big()).Uint64()
			for range tickets {
				if random.Float64() >= p {
					continue
				}
				if left < pendingRatio {
					dry++
					break
				}
				left--
			}
		}
		require.Less(t, float64(dry)/runs, Risk*1.5, "%d tickets", tickets)
		if plan.ExpectedWins > 1 {
			require.Positive(t, dry, "the plan is not larger than it has to be")
		}
	}
}
