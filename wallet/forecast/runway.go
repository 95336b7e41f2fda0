package forecast

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// Pace is a sender's observed rate of creating tickets.
type Pace struct {
	// Days is the length of the observed period.
	Days float64

	// Bins are the expected wins (the sum of the tickets' probabilities) in equal parts of the
	// period; or the actual wins, if Counted is set.
	Bins []float64

	// Counted reports whether only the wins are known, and not the tickets: then the bins include the
	// luck of the past.
	Counted bool
}

// Prize is the cost of a win: FaceValue, with a relative Weight.
type Prize struct {
	FaceValue, Weight float64
}

// Band is a number of days from now: with 90 % probability between Low and High, with equal
// probability below and above Median. A hundred years stand for anything longer.
type Band struct {
	Low, Median, High float64
}

// ErrTooLittle is returned if there is too little data for a forecast.
var ErrTooLittle = errors.New("too little spending for a forecast")

// Confidence is the probability that the day is within the band.
const Confidence = 0.90

// MinBins is the least number of bins: the variation of the pace is estimated from their
// differences.
const MinBins = 7

const (
	// paths is the number of simulated futures: about 250 ± 15 of them lie beyond each end of the
	// band.
	paths = 5_000
	// fewWins is the most wins that are drawn one by one; more follow the normal distribution.
	fewWins = 400
	// endOfTime is a hundred years in days.
	endOfTime = 36500
	// maxDoublings ends the search for a deposit that no amount of ether reaches.
	maxDoublings = 64
)

// Runway returns in how many days a deposit no longer covers a win in full, if tickets continue at
// a pace. owed are the expected wins of tickets already created and not yet drawn.
//
// Since tickets win rarely and independently, the wins are a Poisson process. So the expected wins
// A that use up the deposit depend on luck alone: a sum of exponential variables, one per win. The
// past gives the rate of expected wins: a mean rate m, whose error is v/n for n bins with variance
// v, and a random walk around it with variance v per bin. The time at which a walk with drift m
// reaches A is inverse Gaussian. Each simulated future draws v, m, A and that time in turn, so the
// band covers the uncertainty of the rate and the luck to come. The draws are the same at each
// call.
//
// It returns ErrTooLittle for fewer than MinBins bins, or fewer than two that are not 0.
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
			continue // tickets already created use it up
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
			v = math.Max(0, v-mean) // without the luck of the past, which is not part of the pace
		}
		days[i] = draw.inverseGaussian(wins/rate, wins*wins/v) / perDay
	}
	slices.Sort(days)
	at := func(share float64) float64 { return min(days[int(share*(paths-1))], endOfTime) }
	return Band{at((1 - Confidence) / 2), at(0.5), at((1 + Confidence) / 2)}, nil
}

// DepositFor returns a deposit that lasts a number of days at the low end of Runway's band, rounded
// up by less than 1 %, and then still covers depositMultiplier mean face values, of which Runway counts
// one; less than 1 counts as 1. It fails as Runway does.
func DepositFor(days, owed float64, depositMultiplier uint64, prizes []Prize, pace Pace) (float64, error) {
	days = min(days, endOfTime)
	lasts := func(deposit float64) (bool, error) {
		band, err := Runway(deposit, owed, prizes, pace)
		return band.Low >= days, err
	}
	enough, err := lasts(0)
	if err != nil || enough {
		return 0, err
	}
	mean, _, _ := moments(pace.Bins)
	perDay := mean * float64(len(pace.Bins)) / pace.Days
	faceValue := newDraw(prizes).mean
	low, high := 0.0, (owed+1+days*perDay)*faceValue
	for range maxDoublings {
		if enough, _ := lasts(high); enough {
			break
		}
		low, high = high, 2*high
	}
	for (high-low)*100 > high {
		middle := (low + high) / 2
		if enough, _ := lasts(middle); enough {
			high = middle
		} else {
			low = middle
		}
	}
	return high + float64(max(1, depositMultiplier)-1)*faceValue, nil
}

// moments returns the mean and the variance of a sample, and how many values are not 0.
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

// draw draws the random variables of one forecast.
type draw struct {
	*rand.Rand
	prizes []Prize
	upTo   []float64 // cumulated weights
	// mean and variance are of a prize.
	mean, variance float64
}

func newDraw(prizes []Prize) *draw {
	// The mean is taken from the first prize on: that of equal ones is not rounded, and a deposit of
	// three of them covers three.
	first := prizes[0].FaceValue
	d := &draw{Rand: rand.New(rand.NewPCG(1, 1)), prizes: prizes}
	var total float64
	for _, p := range prizes {
		total += p.Weight
		d.upTo = append(d.upTo, total)
		d.mean += p.Weight * (p.FaceValue - first)
	}
	d.mean = first + d.mean/total
	for _, p := range prizes {
		d.variance += p.Weight / total * (p.FaceValue - d.mean) * (p.FaceValue - d.mean)
	}
	return d
}

// exhausts draws the expected wins at which the deposit no longer covers one more win.
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

// gamma draws from the gamma distribution with a shape and scale 1, by the method of Marsaglia and
// Tsang (2000).
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

// inverseGaussian draws from the inverse Gaussian distribution, by the method of Michael, Schucany
// and Haas (1976). An infinite shape has no spread.
func (d *draw) inverseGaussian(mean, shape float64) float64 {
	if math.IsInf(shape, 1) || mean == 0 {
		return mean
	}
	y := d.NormFloat64()
	y *= y
	// The smaller root, in a form without cancellation.
	ratio := mean * y / shape
	x := mean * 2 / (2 + ratio + math.Sqrt(ratio*(4+ratio)))
	if d.Float64() <= mean/(mean+x) {
		return x
	}
	return mean * mean / x
}
