package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// Waits before a queue is tried again. They double with each failure.
const (
	firstWait = time.Second
	maxWait   = 5 * time.Minute

	// A refusal that is permanent needs an operator, so it is tried rarely.
	firstWaitPermanent = time.Minute
	maxWaitPermanent   = time.Hour
)

// retry is a queue that was refused.
type retry struct {
	failures int
	due      time.Time
}

// due returns the queues that may be tried now.
func (d *Deliverer) due(queues []Queue) []Queue {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.Now()
	return slices.DeleteFunc(queues, func(queue Queue) bool {
		r := d.waiting[queue.Key]
		return r != nil && at.Before(r.due)
	})
}

// atOnce is how many events of a queue are sent in one request: half as many after each failure, since the
// server may have had too little time for so many.
func (d *Deliverer) atOnce(queue Queue) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.waiting[queue.Key]; r != nil {
		return max(1, batchSize>>r.failures)
	}
	return batchSize
}

// failed notes that a queue was refused, and says so.
func (d *Deliverer) failed(ctx context.Context, queue Queue, position int64, err error) {
	d.mu.Lock()
	r := d.waiting[queue.Key]
	if r == nil {
		r = new(retry)
		d.waiting[queue.Key] = r
	}
	r.failures++
	pause, failures := wait(r.failures, err), r.failures
	r.due = d.Now().Add(pause)
	d.mu.Unlock()
	var status *StatusError
	fields := []any{"delivery", d.Name, "queue", queue.Name, "event", position, "failures", failures, "retry_in_ms", pause.Milliseconds(), "error", err}
	if errors.As(err, &status) && status.Permanent() {
		d.Log.ErrorContext(ctx, "the server refuses an event; it is kept and retried", fields...)
		return
	}
	d.Log.WarnContext(ctx, "cannot deliver events; they are kept and retried", fields...)
}

// succeeded ends the waiting of a queue.
func (d *Deliverer) succeeded(ctx context.Context, queue Queue) {
	d.mu.Lock()
	r := d.waiting[queue.Key]
	delete(d.waiting, queue.Key)
	d.mu.Unlock()
	if r != nil {
		d.Log.InfoContext(ctx, "events are delivered again", "delivery", d.Name, "queue", queue.Name, "failures", r.failures)
	}
}

// wait is how long a queue waits after so many failures: at random between half of a time and
// all of it, so that queues and replicas do not retry together.
func wait(failures int, err error) time.Duration {
	first, most := firstWait, maxWait
	var status *StatusError
	if errors.As(err, &status) && status.Permanent() {
		first, most = firstWaitPermanent, maxWaitPermanent
	}
	const doublings = 20 // beyond which either time exceeds its maximum
	longest := min(first<<min(failures-1, doublings), most)
	pause := longest/2 + rand.N(longest/2)
	if status != nil {
		pause = max(pause, min(status.After, maxWaitPermanent))
	}
	return pause
}
