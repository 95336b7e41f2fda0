package forecast

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/wei"
)

// exactPoisson returns the chance of at least k wins if mean are expected, to 60 digits.
func exactPoisson(mean *big.Rat, k uint64) float64 {
	const bits = 400
	term, sum, below := big.NewFloat(1).SetPrec(bits), new(big.Float).SetPrec(bits), new(big.Float).SetPrec(bits)
	m := new(big.Float).SetPrec(bits).SetRat(mean)
	for i := uint64(0); i < k || term.Cmp(big.NewFloat(1e-60)) > 0; i++ {
		sum.Add(sum, term)
		if i < k {
			below.Add(below, term)
		}
		term = new(big.Float).SetPrec(bits).Quo(new(big.Float).SetPrec(bits).Mul(term, m), new(big.Float).SetPrec(bits).SetUint64(i+1))
	}
	p, _ := new(big.Float).Quo(new(big.Float).Sub(sum, below), sum).Float64()
	return p
}

func TestLuckIsThePoissonDistribution(t *testing.T) {
	face := amount(t, "0.01eth")
	for _, mean := range []*big.Rat{big.NewRat(1, 1000), big.NewRat(1, 3), big.NewRat(1, 1), big.NewRat(5, 2), big.NewRat(4, 1), big.NewRat(10, 1), big.NewRat(20, 1), big.NewRat(300, 1)} {
		l, err := NewLuck(new(big.Rat).Mul(mean, face.Rat()), face, 1)
		require.NoError(t, err)
		for _, e := range l.AtLeast {
			want := exactPoisson(mean, e.Wins)
			require.InDelta(t, want, e.Chance, 1e-18+1e-12*want, "%v: %d wins", mean, e.Wins)
			// The least number of wins that costs as much.
			least := new(big.Rat).Mul(mean, new(big.Rat).SetFloat64(e.Times))
			require.True(t, new(big.Rat).SetUint64(e.Wins).Cmp(least) >= 0 && new(big.Rat).SetInt64(int64(e.Wins)-1).Cmp(least) < 0, "%v: %d wins", mean, e.Wins)
			require.Equal(t, new(big.Rat).Mul(face.Rat(), new(big.Rat).SetUint64(e.Wins)), e.Paid.Rat())
		}
		for _, q := range l.AtMost {
			require.InEpsilon(t, 1-exactPoisson(mean, q.Wins+1), q.Chance, 1e-12)
			require.Greater(t, q.Chance, 1-q.Risk)
			require.GreaterOrEqual(t, exactPoisson(mean, q.Wins), q.Risk*min(1, float64(q.Wins)), "%v: fewer wins would do", mean)
		}
		require.Equal(t, []float64{0.01, 0.001}, []float64{l.AtMost[0].Risk, l.AtMost[1].Risk})
		last := l.AtMost[len(l.AtMost)-1]
		require.Equal(t, new(big.Rat).Mul(face.Rat(), new(big.Rat).SetUint64(last.Wins+pendingRatio-1)), l.Deposit.Rat())
		wary, err := NewLuck(new(big.Rat).Mul(mean, face.Rat()), face, 5)
		require.NoError(t, err)
		require.Equal(t, new(big.Rat).Mul(face.Rat(), new(big.Rat).SetUint64(last.Wins+5)), wary.Deposit.Rat())
	}
}

// TestTheChanceToPayTwice has the figures of the documentation.
func TestTheChanceToPayTwice(t *testing.T) {
	face := amount(t, "0.004eth")
	for wins, percent := range map[uint64]string{1: "26.42", 4: "5.113", 10: "0.3454", 20: "0.00532"} {
		spend, err := face.Mul(wins)
		require.NoError(t, err)
		l, err := NewLuck(spend.Rat(), face, 1)
		require.NoError(t, err)
		twice := l.AtLeast[1]
		require.EqualValues(t, 2, twice.Times)
		require.Equal(t, 2*wins, twice.Wins)
		require.Equal(t, percent, fmt.Sprintf("%.4g", 100*twice.Chance), "%d wins", wins)
	}
}

func TestNoLuck(t *testing.T) {
	for name, c := range map[string]struct {
		spend *big.Rat
		face  wei.Wei
	}{
		"no face value": {big.NewRat(1, 1), wei.Wei{}},
		"no spending":   {new(big.Rat), wei.FromUint64(1)},
		"negative":      {big.NewRat(-1, 1), wei.FromUint64(1)},
		"too many wins": {big.NewRat(2e9, 1), wei.FromUint64(1)},
		"overflow":      {new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 256)), amount(t, "1"+"0000000000000000000000000000000000000000000000000000000000eth")},
	} {
		_, err := NewLuck(c.spend, c.face, 1)
		require.ErrorIs(t, err, ErrNeed, name)
	}
}

func TestBetween(t *testing.T) {
	d := Poisson(3)
	masses := d.Between(0, 5)
	require.Len(t, masses, 6)
	var sum float64
	for _, m := range masses {
		sum += m
	}
	require.InDelta(t, d.AtMost(5), sum, 1e-15)
	require.Equal(t, []float64{0, 0}, Wins([]Tickets{{3, 1}}).Between(1, 2))
	require.Equal(t, []float64{1, 0}, Wins([]Tickets{{3, 1}}).Between(3, 4))
}
