package forecast

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// exactWins is the distribution one ticket after the other, in exact fractions.
func exactWins(groups []Tickets) []*big.Rat {
	mass := []*big.Rat{big.NewRat(1, 1)}
	for _, g := range groups {
		win := new(big.Rat).SetFloat64(g.P)
		lose := new(big.Rat).Sub(big.NewRat(1, 1), win)
		for range g.N {
			next := make([]*big.Rat, len(mass)+1)
			for k := range next {
				next[k] = new(big.Rat)
				if k < len(mass) {
					next[k].Add(next[k], new(big.Rat).Mul(mass[k], lose))
				}
				if k > 0 {
					next[k].Add(next[k], new(big.Rat).Mul(mass[k-1], win))
				}
			}
			mass = next
		}
	}
	return mass
}

func TestWinsAreExact(t *testing.T) {
	for name, groups := range map[string][]Tickets{
		"none":    nil,
		"one":     {{1, 0.25}},
		"certain": {{3, 1}, {5, 0}, {0, 0.5}},
		"alike":   {{40, 0.125}},
		"rare":    {{30, 1.0 / 1024}, {10, 1.0 / 4096}},
		"mixed":   {{12, 0.5}, {7, 0.03125}, {9, 0.96875}, {2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			exact, got := exactWins(groups), Wins(groups)
			var mean float64
			for k := range exact {
				tail, below := new(big.Rat), new(big.Rat)
				for i, m := range exact {
					if i >= k {
						tail.Add(tail, m)
					}
					if i <= k {
						below.Add(below, m)
					}
				}
				for _, c := range []struct {
					want *big.Rat
					got  float64
				}{{tail, got.AtLeast(uint64(k))}, {below, got.AtMost(uint64(k))}} {
					want, _ := c.want.Float64()
					require.InDelta(t, want, c.got, 1e-18+1e-12*want, "%d wins", k)
				}
				m, _ := exact[k].Float64()
				mean += float64(k) * m
			}
			require.InDelta(t, mean, meanOf(got), 1e-12)
			require.Zero(t, got.AtLeast(uint64(len(exact))))
		})
	}
}

// What a large ledger comes to: a thousand sessions, no two alike.
func TestManyTickets(t *testing.T) {
	var groups []Tickets
	var mean, variance float64
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		g := Tickets{N: 1 + random.Uint64N(600), P: random.Float64() / 20}
		groups = append(groups, g)
		mean += float64(g.N) * g.P
		variance += float64(g.N) * g.P * (1 - g.P)
	}
	d := Wins(groups)
	require.InDelta(t, mean, meanOf(d), 1e-6)
	// By the central limit theorem, with the correction for whole numbers.
	for _, z := range []float64{-2, -1, 0, 1, 2} {
		k := math.Round(mean + z*math.Sqrt(variance))
		want := 0.5 * math.Erfc((k-0.5-mean)/math.Sqrt(2*variance))
		require.InDelta(t, want, d.AtLeast(uint64(k)), 0.002)
	}
	require.InDelta(t, 1, d.AtLeast(1000)+d.AtMost(999), 1e-12)

	// One group that is alike needs no more than its spread.
	big := Wins([]Tickets{{N: 1e12, P: 1e-6}})
	require.InDelta(t, 1e6, meanOf(big), 1)
}

func TestQuantile(t *testing.T) {
	for _, mean := range []float64{0, 0.004, 0.5, 3, 47.5, 1e6} {
		d := Poisson(mean)
		for _, risk := range []float64{0.5, 0.05, 0.01, 1e-6} {
			q := d.Quantile(risk)
			require.Less(t, d.AtLeast(q+1), risk, "mean %v", mean)
			if q > 0 {
				require.GreaterOrEqual(t, d.AtLeast(q), risk, "mean %v: fewer would do", mean)
			}
		}
	}
	require.InDelta(t, math.Exp(-3), Poisson(3).AtMost(0), 1e-15)
	require.InDelta(t, 47.5, meanOf(Poisson(47.5)), 1e-9)
	// A binomial tail is never heavier.
	require.Greater(t, Poisson(5).AtLeast(12), Wins([]Tickets{{100, 0.05}}).AtLeast(12))
}

// meanOf is the expected number of wins.
func meanOf(d Distribution) (mean float64) {
	for i, m := range d.mass {
		mean += m * float64(d.first+uint64(i))
	}
	return mean
}
