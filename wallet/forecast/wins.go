package forecast

import (
	"math"
	"slices"
)

// Tickets are N tickets, each of which wins with probability P.
type Tickets struct {
	N uint64
	P float64
}

// Distribution is the probability of each number of wins. Tails below about 1e-18 are cut off.
type Distribution struct {
	first uint64    // the number of wins that mass[0] is for
	mass  []float64 // sums to 1
}

// Wins returns the distribution of the number of winning tickets, a Poisson binomial one: the
// convolution of one binomial distribution per group.
func Wins(groups []Tickets) Distribution {
	parts := make([]Distribution, 0, len(groups))
	for _, g := range groups {
		parts = append(parts, binomial(g))
	}
	return sum(parts)
}

// sum adds independent numbers, halves first, so that each step's work depends on the spread of its
// parts.
func sum(parts []Distribution) Distribution {
	switch len(parts) {
	case 0:
		return Distribution{mass: []float64{1}}
	case 1:
		return parts[0]
	}
	half := len(parts) / 2
	a, b := sum(parts[:half]), sum(parts[half:])
	out := Distribution{first: a.first + b.first, mass: make([]float64, len(a.mass)+len(b.mass)-1)}
	for i, p := range a.mass {
		for j, q := range b.mass {
			out.mass[i+j] += p * q
		}
	}
	return out.trimmed()
}

// binomial returns the distribution of the wins among equal tickets.
func binomial(g Tickets) Distribution {
	switch {
	case g.P <= 0 || g.N == 0:
		return Distribution{mass: []float64{1}}
	case g.P >= 1:
		return Distribution{first: g.N, mass: []float64{1}}
	}
	n := float64(g.N)
	odds := g.P / (1 - g.P)
	mode := math.Min(math.Floor((n+1)*g.P), n)
	// Each mass follows from its neighbour's.
	return around(mode, n,
		func(k float64) float64 { return (n - k) / (k + 1) * odds },
		func(k float64) float64 { return k / (n - k + 1) / odds })
}

// Poisson returns the distribution of the number of wins if mean are expected: the limit of
// binomial ones for many tickets that rarely win. Its spread is never less than theirs.
func Poisson(mean float64) Distribution {
	if mean <= 0 {
		return Distribution{mass: []float64{1}}
	}
	return around(math.Floor(mean), math.Inf(1),
		func(k float64) float64 { return mean / (k + 1) },
		func(k float64) float64 { return k / mean })
}

// around builds a distribution outwards from its mode, with up = mass(k+1)/mass(k) and down =
// mass(k-1)/mass(k).
func around(mode, most float64, up, down func(k float64) float64) Distribution {
	const enough = 1e-22 // of the mode's mass
	side := func(end, step float64, ratio func(k float64) float64) (mass []float64) {
		for k, m := mode, 1.0; k != end; k += step {
			if m *= ratio(k); m < enough {
				break
			}
			mass = append(mass, m)
		}
		return mass
	}
	below, above := side(0, -1, down), side(most, 1, up)
	slices.Reverse(below)
	return Distribution{uint64(mode) - uint64(len(below)), slices.Concat(below, []float64{1}, above)}.trimmed()
}

// trimmed cuts off negligible tails and normalizes the rest.
func (d Distribution) trimmed() Distribution {
	const enough = 1e-20
	var total float64
	for _, m := range d.mass {
		total += m
	}
	from, to := 0, len(d.mass)
	for from < to-1 && d.mass[from] < enough*total {
		from++
	}
	for to > from+1 && d.mass[to-1] < enough*total {
		to--
	}
	d.first, d.mass = d.first+uint64(from), d.mass[from:to]
	for i := range d.mass {
		d.mass[i] /= total
	}
	return d
}

// Between returns the probability of each number of wins from first to last; none if last is below
// first.
func (d Distribution) Between(first, last uint64) []float64 {
	if last < first {
		return nil
	}
	masses := make([]float64, 0, last-first+1)
	for k := first; k <= last; k++ {
		var mass float64
		if k >= d.first && k-d.first < uint64(len(d.mass)) {
			mass = d.mass[k-d.first]
		}
		masses = append(masses, mass)
	}
	return masses
}

// AtLeast returns the probability of k wins or more.
func (d Distribution) AtLeast(k uint64) (p float64) {
	for i := len(d.mass) - 1; i >= 0 && d.first+uint64(i) >= k; i-- {
		p += d.mass[i]
	}
	return math.Min(p, 1)
}

// AtMost returns the probability of k wins or fewer.
func (d Distribution) AtMost(k uint64) (p float64) {
	for i := 0; i < len(d.mass) && d.first+uint64(i) <= k; i++ {
		p += d.mass[i]
	}
	return math.Min(p, 1)
}

// Quantile returns the least number of wins that is exceeded with probability below risk.
func (d Distribution) Quantile(risk float64) uint64 {
	var above float64
	for i := len(d.mass) - 1; i >= 0; i-- {
		if above+d.mass[i] >= risk {
			return d.first + uint64(i)
		}
		above += d.mass[i]
	}
	return d.first
}
