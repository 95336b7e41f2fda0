package metrics

import (
	"slices"
	"strconv"
	"time"
)

// Histogram counts durations by their length. It is not safe for concurrent use.
type Histogram struct {
	bounds []time.Duration
	counts []uint64 // one more, for what is longer than the last bound
	sum    time.Duration
}

// NewHistogram returns a histogram whose buckets end at the bounds, which rise.
func NewHistogram(bounds ...time.Duration) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]uint64, len(bounds)+1)}
}

// Observe counts a duration.
func (h *Histogram) Observe(d time.Duration) {
	i, _ := slices.BinarySearch(h.bounds, d)
	h.counts[i]++
	h.sum += d
}

// Samples are those of a metric of kind histogram, in seconds.
func (h *Histogram) Samples(labels Labels) []Sample {
	var samples []Sample
	total := uint64(0)
	for i, count := range h.counts {
		total += count
		bound := "+Inf"
		if i < len(h.bounds) {
			bound = Seconds(h.bounds[i])
		}
		samples = append(samples, Sample{labels.With("le", bound), strconv.FormatUint(total, 10), "_bucket"})
	}
	return append(samples, Sample{labels, Seconds(h.sum), "_sum"}, Sample{labels, strconv.FormatUint(total, 10), "_count"})
}

// Durations is a metric of the samples of histograms.
func Durations(name, help string, samples ...Sample) Metric {
	return Metric{name, help, samples, "histogram"}
}

// Seconds is a duration as Prometheus wants it.
func Seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'g', -1, 64) }
