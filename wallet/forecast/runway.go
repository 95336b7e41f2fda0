package forecast

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// Pace is how fast a sender makes tickets, as it was seen.
type Pace struct {
	// Days is how long it was watched.
	Days float64

	// Bins are the expected wins (the tickets' probabilities, added up) of that time cut
	// into equal parts; or the wins themselves, when Counted says so.
	Bins []float64

	// Counted is set if only the wins are known, not the tickets: then the bins include the
	// luck of the past.
	Counted bool
}

// Prize is what a win costs: FaceValue, as often as Weight says beside the others'.
type Prize struct {
	FaceValue, Weight float64
}

// Band is a number of days from now: with 90 % probability at least Low and at most
// High, and as likely below Median as above. A hundred years stand for all that is farther
// away.
type Band struct {
	Low, Median, High float64
}

// ErrTooLittle is returned when too little was seen to tell how it goes on.
var ErrTooLittle = errors.New("too little was spent to tell how it goes on")

// Confidence is the probability of the day being inside the band.
const Confidence = 0.90

// MinBins is how many parts the time that was watched must at least be cut into:
// comparing them shows how much the pace changes.
const MinBins = 7

const (
	// paths is how many futures are drawn: 250 of them lie beyond each end of the band,
	// give or take 15.
	paths = 5_000
	// fewWins is up to how many wins each is drawn; more follow the normal distribution.
	fewWins = 400
	// endOfTime is a hundred years in days.
	endOfTime = 36500
)

// Runway says in how many days a deposit no longer pays a win in full, when tickets go
// on being made at a pace. Owed are the expected wins of tickets that are made already and
// not drawn yet.
//
// The wins are a Poisson process over the tickets that are made, as tickets win seldom
// and by themselves. So the expected wins A at which the deposit is used up follow from
// luck alone: a sum of exponential variables, one for each win it pays. How fast expected
// wins are made is what the past tells: a mean rate m, which is known as well as n bins
// with the variance v let it be, v/n, and a random walk about it with v for each bin. The
// time at which a walk with the drift m reaches A is inverse Gaussian. Each future draws
// v, m, A and that time in turn, so the band covers the uncertainty of the rate, and the
// luck to come. The draws are the same at each call.
//
// It fails with ErrTooLittle when there are fewer than MinBins bins or fewer than two of
// them have something in them.
func Runway(deposit, owed float64, prizes []Prize, pace Pace) (Band, error) {
	mean, variance, inUse := moments(pace.Bins)
	if len(pace.Bins) < MinBins || pace.Days <= 0 || inUse < 2 || len(prizes) == 0 {
		return Band{}, ErrTooLittle
	}
	draw := newDraw(prizes)
	n := float64(len(pace.Bins))
	perDay := n / pace.Days
	days := make([]float64, paths)
	for i := range days {
		wins := draw.exhausts(deposit) - owed
		if wins <= 0 {
			continue // tickets that are made already use it up
		}
		v := variance
		if v > 0 {
			v *= (n - 1) / (2 * draw.gamma((n-1)/2))
		}
		rate := mean
		if v > 0 {
			shape := mean * mean * n / v
			rate = mean * draw.gamma(shape) / shape
		}
		if pace.Counted {
			v = math.Max(0, v-mean) // without the past's luck, which is none of the pace's
		}
		days[i] = draw.inverseGaussian(wins/rate, wins*wins/v) / perDay
	}
	slices.Sort(days)
	at := func(share float64) float64 { return min(days[int(share*(paths-1))], endOfTime) }
	return Band{at((1 - Confidence) / 2), at(0.5), at((1 + Confidence) / 2)}, nil
}

// moments returns the mean and the variance of a sample, and how many of it are not 0.
func moments(sample []float64) (mean, variance float64, inUse int) {
	for _, x := range sample {
		mean += x / float64(len(sample))
		if x > 0 {
			inUse++
		}
	}
	for _, x := range sample {
		variance += (x - mean) * (x - mean) / float64(len(sample)-1)
	}
	return mean, variance, inUse
}

// draw makes the random variables of one forecast.
type draw struct {
	*rand.Rand
	prizes []Prize
	upTo   []float64 // the weights, added up
	// mean and variance are a prize's.
	mean, variance float64
}

func newDraw(prizes []Prize) *draw {
	d := &draw{Rand: rand.New(rand.NewPCG(1, 1)), prizes: prizes}
	var total float64
	for _, p := range prizes {
		total += p.Weight
		d.upTo = append(d.upTo, total)
		d.mean += p.Weight * p.FaceValue
	}
	d.mean /= total
	for _, p := range prizes {
		d.variance += p.Weight / total * (p.FaceValue - d.mean) * (p.FaceValue - d.mean)
	}
	return d
}

// exhausts draws at how many expected wins the deposit no longer pays one more.
func (d *draw) exhausts(deposit float64) float64 {
	if deposit < d.mean {
		return 0
	}
	expected := deposit / d.mean
	if expected > fewWins {
		wins := expected + d.NormFloat64()*math.Sqrt(deposit*d.variance/(d.mean*d.mean*d.mean))
		return d.gamma(math.Max(1, math.Floor(wins)))
	}
	var wins float64
	for left := deposit; left >= d.mean; wins++ {
		left -= d.prize()
	}
	return d.gamma(wins)
}

func (d *draw) prize() float64 {
	if len(d.prizes) == 1 {
		return d.prizes[0].FaceValue
	}
	last := len(d.upTo) - 1
	i := sort.SearchFloat64s(d.upTo, d.Float64()*d.upTo[last])
	return d.prizes[min(i, last)].FaceValue
}

// gamma draws from the gamma distribution with a shape and the scale 1, by the method of
// Marsaglia and Tsang (2000).
func (d *draw) gamma(shape float64) float64 {
	if shape < 1 {
		return d.gamma(shape+1) * math.Pow(d.Float64(), 1/shape)
	}
	a := shape - 1.0/3
	c := 1 / math.Sqrt(9*a)
	for {
		x := d.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-d.Float64()) < x*x/2+a*(1-v+math.Log(v)) {
			return a * v
		}
	}
}

// inverseGaussian draws from the inverse Gaussian distribution, by the method of Michael,
// Schucany and Haas (1976). An infinite shape is no spread at all.
func (d *draw) inverseGaussian(mean, shape float64) float64 {
	if math.IsInf(shape, 1) || mean == 0 {
		return mean
	}
	y := d.NormFloat64()
	y *= y
	// The smaller root, in a form that does not cancel.
	ratio := mean * y / shape
	x := mean * 2 / (2 + ratio + math.Sqrt(ratio*(4+ratio)))
	if d.Float64() <= mean/(mean+x) {
		return x
	}
	return mean * mean / x
}
