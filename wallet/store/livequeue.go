package store

import (
	"context"
	"errors"
)

// maxTogether bounds what one transaction records, and so for how long it has the lock.
const maxTogether = 256

// ErrQueueClosed is returned for a request to a queue that was closed.
var ErrQueueClosed = errors.New("the queue of payments is closed")

// LiveQueue records the payments of many goroutines. Those that wait while a transaction runs
// are recorded together by the next one; none waits for others to come.
type LiveQueue struct {
	payments *LivePayments
	waiting  chan *liveWait
	closing  context.Context
	close    context.CancelFunc
	closed   chan struct{}
}

// liveWait is a request with the goroutine that waits for it.
type liveWait struct {
	ctx     context.Context
	request LiveRequest
	outcome chan<- LiveOutcome
}

// Queue starts a queue, which Close ends.
func (p *LivePayments) Queue() *LiveQueue {
	q := &LiveQueue{payments: p, waiting: make(chan *liveWait), closed: make(chan struct{})}
	q.closing, q.close = context.WithCancel(context.Background())
	go q.run()
	return q
}

// Close ends the queue. It waits for the transaction that runs; what waits for another one
// fails with ErrQueueClosed.
func (q *LiveQueue) Close() {
	q.close()
	<-q.closed
}

// Pay does what LivePayments.Pay does. Where ctx ends first, the payment may have been
// recorded: the same request returns it again.
func (q *LiveQueue) Pay(ctx context.Context, r LiveRequest) (*LivePayment, error) {
	outcome := make(chan LiveOutcome, 1)
	select {
	case q.waiting <- &liveWait{ctx, r, outcome}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-q.closing.Done():
		return nil, ErrQueueClosed
	}
	select {
	case o := <-outcome:
		return o.Payment, o.Err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Find does what LivePayments.Find does. It waits for nothing that is recorded.
func (q *LiveQueue) Find(ctx context.Context, r LiveRequest) (*LivePayment, error) {
	return q.payments.Find(ctx, r)
}

func (q *LiveQueue) run() {
	defer close(q.closed)
	for {
		select {
		case first := <-q.waiting:
			q.record(q.gather(first))
		case <-q.closing.Done():
			return
		}
	}
}

// gather returns first and what waits at this moment, without what was given up.
func (q *LiveQueue) gather(first *liveWait) (batch []*liveWait) {
	for next := first; ; {
		if next.ctx.Err() == nil {
			batch = append(batch, next)
		}
		if len(batch) == maxTogether {
			return batch
		}
		select {
		case next = <-q.waiting:
		default:
			return batch
		}
	}
}

// record answers a batch. It belongs to no single caller, so that none of their contexts ends it.
func (q *LiveQueue) record(batch []*liveWait) {
	if len(batch) == 0 {
		return
	}
	requests := make([]LiveRequest, len(batch))
	for i, w := range batch {
		requests[i] = w.request
	}
	outcomes, err := q.payments.PayAll(context.Background(), requests)
	if len(batch) > 1 && errors.Is(err, ErrDamaged) {
		// Rows that one request needs must not refuse the others.
		for i := range batch {
			q.record(batch[i : i+1])
		}
		return
	}
	for i, w := range batch {
		if err != nil {
			w.outcome <- LiveOutcome{Err: err}
		} else {
			w.outcome <- outcomes[i]
		}
	}
}
