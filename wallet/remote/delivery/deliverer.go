package delivery

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// lookEvery is how often stored events are looked for.
	lookEvery = time.Second

	// senders is how many queues are sent at once, batchSize how many events in one request.
	senders   = 8
	batchSize = 100

	// turn is how long a queue is sent before the others get their turn.
	turn = 5 * time.Second

	// leaseFor is how long a replica sends alone. It is renewed when half of it is left, so that no
	// request outlives it.
	leaseFor = 20 * time.Second
)

// Event is a stored event.
type Event struct {
	// Position orders the events of a queue.
	Position int64

	// Body is the event as a JSON CloudEvent.
	Body []byte
}

// Queue is a sequence of events of which some were not delivered.
type Queue struct {
	// Key identifies the queue, Name is for the log.
	Key, Name string

	// Delivered is the position of the last event that was delivered.
	Delivered int64
}

// Outbox stores events until they are delivered. Replicas share it.
type Outbox interface {
	// Behind returns the queues with events that were not delivered.
	Behind(ctx context.Context) ([]Queue, error)

	// After returns at most limit events of a queue beyond a position, in order.
	After(ctx context.Context, queue string, position int64, limit int) ([]Event, error)

	// Delivered records that the events of a queue up to a position were delivered.
	Delivered(ctx context.Context, queue string, position int64) error

	// Lease takes or renews the right to deliver, and reports whether holder has it. A lasting
	// of 0 gives it up.
	Lease(ctx context.Context, holder string, at time.Time, lasting time.Duration) (bool, error)
}

// Deliverer sends the events of an outbox. It never gives up on one: a queue whose first event is
// refused is tried again later and later, while the others go on.
//
// One replica delivers at a time, which holds the lease. The order does not depend on that: an
// event is sent only after the one before it was accepted, so of several copies the first ones
// arrive in order. A Deliverer is one of New.
type Deliverer struct {
	// Name is what the log says is delivered.
	Name string

	Outbox   Outbox
	Endpoint *Endpoint
	Log      *slog.Logger

	// Now is the clock, After a timer.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time

	holder string
	lease  lease

	mu      sync.Mutex
	waiting map[string]*retry
}

// New returns a deliverer with the clock of the machine. A nil log is for none.
func New(name string, outbox Outbox, to *Endpoint, log *slog.Logger) *Deliverer {
	log = cmp.Or(log, slog.New(slog.DiscardHandler))
	return &Deliverer{
		Name: name, Outbox: outbox, Endpoint: to, Log: log, Now: time.Now, After: time.After,
		holder: rand.Text(), waiting: make(map[string]*retry),
	}
}

// Run delivers until ctx ends.
func (d *Deliverer) Run(ctx context.Context) {
	failed := false
	for ctx.Err() == nil {
		err := d.round(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			d.Log.ErrorContext(ctx, "cannot read or update the outbox", "delivery", d.Name, "error", err)
		}
		failed = err != nil
		select {
		case <-d.After(lookEvery):
		case <-ctx.Done():
		}
	}
	d.release(context.WithoutCancel(ctx))
}

// round sends what is due. It returns an error of the outbox.
func (d *Deliverer) round(ctx context.Context) error {
	queues, err := d.Outbox.Behind(ctx)
	if err != nil {
		return err
	}
	due := d.due(queues)
	if len(due) == 0 {
		return nil
	}
	if held, err := d.hold(ctx); !held || err != nil {
		return err
	}
	// Behind was read before the lease was held: another replica may have delivered since.
	if queues, err = d.Outbox.Behind(ctx); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(senders)
	for _, queue := range d.due(queues) {
		group.Go(func() error { return d.drain(ctx, queue) })
	}
	return group.Wait()
}

// drain sends a queue's events for one turn, or until one is refused.
func (d *Deliverer) drain(ctx context.Context, queue Queue) error {
	most := d.atOnce(queue)
	for ends := d.Now().Add(turn); d.Now().Before(ends) && ctx.Err() == nil; {
		if held, err := d.hold(ctx); !held || err != nil {
			return err
		}
		events, err := d.Outbox.After(ctx, queue.Key, queue.Delivered, most)
		if err != nil || len(events) == 0 {
			return err
		}
		sent, failure := d.Endpoint.send(ctx, events)
		if sent > 0 {
			d.succeeded(ctx, queue)
			queue.Delivered = events[sent-1].Position
			// The server has them, also if this process is being stopped.
			if err := d.Outbox.Delivered(context.WithoutCancel(ctx), queue.Key, queue.Delivered); err != nil {
				return err
			}
		}
		if failure != nil {
			if ctx.Err() == nil {
				d.failed(ctx, queue, events[sent].Position, failure)
			}
			return nil
		}
	}
	return nil
}

// lease is until when this replica delivers alone, by its own clock.
type lease struct {
	sync.Mutex
	until time.Time
}

// hold takes the lease, or renews it in time.
func (d *Deliverer) hold(ctx context.Context) (bool, error) {
	d.lease.Lock()
	defer d.lease.Unlock()
	at := d.Now()
	if d.lease.until.Sub(at) > leaseFor/2 {
		return true, nil
	}
	held, err := d.Outbox.Lease(ctx, d.holder, at, leaseFor)
	if held {
		d.lease.until = at.Add(leaseFor)
	}
	return held, err
}

// release lets another replica continue at once.
func (d *Deliverer) release(ctx context.Context) {
	d.lease.Lock()
	defer d.lease.Unlock()
	if d.lease.until.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if _, err := d.Outbox.Lease(ctx, d.holder, d.Now(), 0); err != nil && !errors.Is(err, context.Canceled) {
		d.Log.WarnContext(ctx, "cannot give up the lease; another replica continues when it expires", "delivery", d.Name, "error", err)
	}
	d.lease.until = time.Time{}
}
