package forecast

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// world is a sender with rates that are known.
type world struct {
	random *rand.Rand
	// tickets are made a day, at random times; on each day unrest (the coefficient of
	// variation) changes how many.
	tickets, unrest float64
	p               float64 // a ticket's probability to win
	prizes          []float64
	deposit         float64
}

// newWorld draws one: 20 to 1000 tickets a day, of which 1 in 20 to 1 in 200 wins, a
// deposit for 4 to 100 wins, and recipients that ask for up to three face values.
func newWorld(random *rand.Rand, unrest float64) *world {
	w := &world{random: random, unrest: unrest}
	w.tickets = 20 * math.Pow(50, random.Float64())
	w.p = 1 / (20 * math.Pow(10, random.Float64()))
	for range 1 + random.IntN(3) {
		w.prizes = append(w.prizes, 1e15*(1+random.Float64()))
	}
	w.deposit = 1e15 * 4 * math.Pow(25, random.Float64())
	return w
}

// day is how many tickets are made on a day.
func (w *world) day() int {
	mean := w.tickets
	if w.unrest > 0 {
		d := draw{Rand: w.random}
		shape := 1 / (w.unrest * w.unrest)
		mean *= d.gamma(shape) / shape
	}
	// Poisson, by counting what happens in the time.
	n := 0
	for at := w.random.ExpFloat64(); at < mean; at += w.random.ExpFloat64() {
		n++
	}
	return n
}

func (w *world) prize() float64 { return w.prizes[w.random.IntN(len(w.prizes))] }

// past is what is seen of some days: the expected wins, or the wins.
func (w *world) past(days int, counted bool) Pace {
	pace := Pace{Days: float64(days), Counted: counted}
	for range days {
		var bin float64
		for range w.day() {
			if !counted {
				bin += w.p
			} else if w.random.Float64() < w.p {
				bin++
			}
		}
		pace.Bins = append(pace.Bins, bin)
	}
	return pace
}

// exhausted is when the deposit no longer pays the mean prize in full, to the ticket.
func (w *world) exhausted(mean float64) float64 {
	left := w.deposit
	for day := 0; ; day++ {
		n := w.day()
		for i := range n {
			if w.random.Float64() < w.p {
				left -= w.prize()
			}
			if left < mean {
				return float64(day) + float64(i+1)/float64(n+1)
			}
		}
	}
}

// covered is the share of worlds whose deposit ended inside the band, and of those in
// which it ended before and after it.
func covered(t *testing.T, seed uint64, worlds int, unrest func(*rand.Rand) float64, counted bool) (inside, before, after float64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 7))
	for range worlds {
		w := newWorld(random, unrest(random))
		if counted {
			w.tickets = math.Max(w.tickets, 0.5/w.p) // so that there is something to count
		}
		var prizes []Prize
		var mean float64
		for _, p := range w.prizes {
			prizes = append(prizes, Prize{p, 1})
			mean += p / float64(len(w.prizes))
		}
		band, err := Runway(w.deposit, 0, prizes, w.past(14+random.IntN(46), counted))
		require.NoError(t, err)
		require.Less(t, band.Low, band.Median)
		require.Less(t, band.Median, band.High)
		switch end := w.exhausted(mean); {
		case end < band.Low:
			before += 1 / float64(worlds)
		case end > band.High:
			after += 1 / float64(worlds)
		default:
			inside += 1 / float64(worlds)
		}
	}
	t.Logf("inside the band %.1f %%, before it %.1f %%, after it %.1f %%", inside*100, before*100, after*100)
	return inside, before, after
}

// TestRunwayCoversTheTrueDay holds the forecast against futures that it did not see: the
// 90 % band must hold the day on which the deposit ends as often as it says.
func TestRunwayCoversTheTrueDay(t *testing.T) {
	for name, c := range map[string]struct {
		seed    uint64
		unrest  func(*rand.Rand) float64
		counted bool
	}{
		"steady": {1, func(*rand.Rand) float64 { return 0 }, false},
		"uneven": {2, func(r *rand.Rand) float64 { return r.Float64() }, false},
		"wild":   {3, func(*rand.Rand) float64 { return 1.5 }, false},
		// Without the ledger: the pace is only known by its wins.
		"counted": {4, func(r *rand.Rand) float64 { return r.Float64() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			inside, before, after := covered(t, c.seed, 200, c.unrest, c.counted)
			require.GreaterOrEqual(t, inside, 0.85)
			require.LessOrEqual(t, inside, 0.95)
			require.InDelta(t, 0.05, before, 0.05, "the band is not shifted")
			require.InDelta(t, 0.05, after, 0.05, "the band is not shifted")
		})
	}
}

// TestADepositOfWholeFaceValues: whatever the tickets' weight, a deposit of one face value covers a
// win. 0.7 times 1e15, divided by 0.7, is more than 1e15.
func TestADepositOfWholeFaceValues(t *testing.T) {
	const faceValue = 1e15
	for _, count := range []float64{1, 2, 10} {
		var bands []Band
		for _, weight := range []float64{1, 0.7} {
			band, err := Runway(count*faceValue, 0, []Prize{{faceValue, weight}}, Pace{Days: 14, Bins: slices.Repeat([]float64{0.1}, 14)})
			require.NoError(t, err)
			bands = append(bands, band)
		}
		require.Positive(t, bands[0].Low)
		require.Equal(t, bands[0], bands[1], "%v face values", count)
	}
}

func TestRunway(t *testing.T) {
	prizes := []Prize{{FaceValue: 100, Weight: 1}}
	steady := Pace{Days: 14, Bins: []float64{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2}}
	band, err := Runway(1000, 0, prizes, steady)
	require.NoError(t, err)
	// Ten wins at two a day: a gamma distribution with the shape 10.
	require.InDelta(t, 5.425/2, band.Low, 0.1)
	require.InDelta(t, 9.669/2, band.Median, 0.1)
	require.InDelta(t, 15.705/2, band.High, 0.2)
	again, err := Runway(1000, 0, prizes, steady)
	require.NoError(t, err)
	require.Equal(t, band, again, "the same question has the same answer")

	// What is left of a deposit below a face value pays no win; one of ten thousand wins
	// is sure to the percent.
	more, err := Runway(1099, 0, prizes, steady)
	require.NoError(t, err)
	require.Equal(t, band, more)
	large, err := Runway(1e6, 0, prizes, steady)
	require.NoError(t, err)
	require.InEpsilon(t, 5000, large.Median, 0.01)
	require.InEpsilon(t, 5000*(1-1.645/100), large.Low, 0.01)

	// Tickets that are made already are on the way out.
	owed, err := Runway(1000, 4, prizes, steady)
	require.NoError(t, err)
	require.InDelta(t, band.Median-2, owed.Median, 0.1)
	for _, gone := range []struct{ deposit, owed float64 }{{0, 0}, {99, 0}, {1000, 1000}} {
		band, err = Runway(gone.deposit, gone.owed, prizes, steady)
		require.NoError(t, err)
		require.Equal(t, Band{}, band)
	}

	for name, pace := range map[string]Pace{
		"nothing":  {},
		"no days":  {Bins: steady.Bins},
		"few bins": {Days: 6, Bins: []float64{1, 1, 1, 1, 1, 1}},
		"once":     {Days: 7, Bins: []float64{0, 0, 0, 5, 0, 0, 0}},
	} {
		_, err := Runway(1000, 0, prizes, pace)
		require.ErrorIs(t, err, ErrTooLittle, name)
	}
	_, err = Runway(1000, 0, nil, steady)
	require.ErrorIs(t, err, ErrTooLittle)
}

// TestDepositForLasts: the deposit that is said to last for some days does by the forecast, and one
// that is a little smaller does not.
func TestDepositForLasts(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 7))
	for range 5 {
		w := newWorld(random, 0.5)
		var prizes []Prize
		for _, p := range w.prizes {
			prizes = append(prizes, Prize{p, 1})
		}
		past := w.past(30, false)
		owed, days := random.Float64()*3, float64(1+random.IntN(40))
		deposit, err := DepositFor(days, owed, 1, prizes, past)
		require.NoError(t, err)
		band, err := Runway(deposit, owed, prizes, past)
		require.NoError(t, err)
		require.GreaterOrEqual(t, band.Low, days)
		wary, err := DepositFor(days, owed, 5, prizes, past)
		require.NoError(t, err)
		require.InEpsilon(t, 4*newDraw(prizes).mean, wary-deposit, 1e-9)
		less, err := Runway(0.95*deposit-newDraw(prizes).mean, owed, prizes, past)
		require.NoError(t, err)
		require.Less(t, less.Low, days)
	}
	_, err := DepositFor(7, 0, 0, []Prize{{1, 1}}, Pace{Days: 1, Bins: make([]float64, MinBins)})
	require.ErrorIs(t, err, ErrTooLittle)
}
