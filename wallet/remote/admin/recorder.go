package admin

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pmctl/pmctl/internal/metrics"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote"
)

// maxSeries bounds how many time series a metric has: a client chooses the recipients, and
// recipients beyond are counted as other.
const maxSeries = 2000

// requestSeries and paidSeries are what is counted apart.
type requestSeries struct {
	route, client, recipient string
	status                   int
}

type paidSeries struct{ client, recipient string }

// Recorder counts the requests that a signer answers, and keeps the last refusals. It is one of
// NewRecorder, and safe for concurrent use.
type Recorder struct {
	mu        sync.Mutex
	requests  map[requestSeries]uint64
	paid      map[paidSeries]policy.Sum
	durations map[string]*metrics.Histogram
	refusals  refusals
}

// NewRecorder returns a recorder of a signer.
func NewRecorder() *Recorder {
	return &Recorder{
		requests: make(map[requestSeries]uint64), paid: make(map[paidSeries]policy.Sum), durations: make(map[string]*metrics.Histogram),
	}
}

// Observe counts an answer. It is what remote.Config.Observe calls.
func (c *Recorder) Observe(a remote.Answered) {
	series := requestSeries{route: strings.TrimPrefix(a.Path, "/"), status: a.Status}
	if a.Caller.Client != nil {
		series.client = a.Caller.Client.Name
	}
	if a.Recipient != nil {
		series.recipient = a.Recipient.Hex()
	}
	paid := paidSeries{series.client, series.recipient} // however many others were refused
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.requests[series]; !known && len(c.requests) >= maxSeries {
		series.recipient = "other"
	}
	c.requests[series]++
	duration := c.durations[series.route]
	if duration == nil {
		duration = metrics.NewHistogram(
			time.Millisecond, 2500*time.Microsecond, 5*time.Millisecond, 10*time.Millisecond, 25*time.Millisecond, 50*time.Millisecond,
			100*time.Millisecond, 250*time.Millisecond, 500*time.Millisecond, time.Second, 2500*time.Millisecond, 5*time.Second, 10*time.Second)
		c.durations[series.route] = duration
	}
	duration.Observe(a.Took)
	if a.Err != nil {
		c.refusals.add(a)
	}
	if a.Paid != nil && !a.Paid.Again {
		c.add(paid, a.Paid.Sum())
	}
}

func (c *Recorder) add(series paidSeries, sum policy.Sum) {
	if _, known := c.paid[series]; !known && len(c.paid) >= maxSeries {
		series.recipient = "other"
	}
	c.paid[series] = c.paid[series].Plus(sum)
}

// Metrics are what was counted since the signer was started.
func (c *Recorder) Metrics() []metrics.Metric {
	c.mu.Lock()
	defer c.mu.Unlock()
	requests := metrics.Counter("pmctl_signer_requests_total", "Requests that were answered, by route, client, recipient and HTTP status.")
	for _, s := range slices.SortedFunc(maps.Keys(c.requests), func(a, b requestSeries) int {
		return cmp.Or(cmp.Compare(a.route, b.route), cmp.Compare(a.client, b.client), cmp.Compare(a.recipient, b.recipient), cmp.Compare(a.status, b.status))
	}) {
		labels := metrics.Label("route", s.route).With("client", s.client).With("recipient", s.recipient).With("status", strconv.Itoa(s.status))
		requests.Samples = append(requests.Samples, metrics.Sample{Labels: labels, Value: strconv.FormatUint(c.requests[s], 10)})
	}
	tickets := metrics.Counter("pmctl_signer_tickets_total", "Tickets that were signed. Answers that were given again are not counted again.")
	ev := metrics.Counter("pmctl_signer_ticket_ev_wei_total", "Expected value of the tickets that were signed.")
	faceValue := metrics.Counter("pmctl_signer_face_value_wei_total", "Face value of the tickets that were signed.")
	for _, s := range slices.SortedFunc(maps.Keys(c.paid), func(a, b paidSeries) int {
		return cmp.Or(cmp.Compare(a.client, b.client), cmp.Compare(a.recipient, b.recipient))
	}) {
		labels, sum := metrics.Label("client", s.client).With("recipient", s.recipient), c.paid[s]
		tickets.Samples = append(tickets.Samples, metrics.Sample{Labels: labels, Value: strconv.FormatUint(sum.Tickets, 10)})
		ev.Samples = append(ev.Samples, metrics.Sample{Labels: labels, Value: metrics.Whole(sum.EV)})
		faceValue.Samples = append(faceValue.Samples, metrics.Sample{Labels: labels, Value: sum.FaceValue.String()})
	}
	var durations []metrics.Sample
	for _, route := range slices.Sorted(maps.Keys(c.durations)) {
		durations = append(durations, c.durations[route].Samples(metrics.Label("route", route))...)
	}
	return []metrics.Metric{
		requests, tickets, ev, faceValue,
		metrics.Durations("pmctl_signer_request_duration_seconds", "How long answers took.", durations...),
	}
}
