// Package ordered spreads work over several goroutines and hands the results over in
// the order in which the work came.
package ordered

import (
	"context"
	"errors"
	"io"
	"sync"
)

// Job is work that comes in items. Items are reused: there are never more than Depth of
// them, however much work there is, so that a slow stage delays the others.
type Job[T any] struct {
	// Workers is how many goroutines work; Depth is how many items there are at most.
	// Both are at least 1.
	Workers, Depth int

	// Fill readies the next item, which may have been used before, or fails with io.EOF
	// when there is none. It is called by one goroutine and ends when its ctx does.
	Fill func(ctx context.Context, item *T) error

	// NewWorker returns what works on one item after another. Each worker gets its own;
	// it ends early when its ctx does.
	NewWorker func() func(ctx context.Context, item *T)

	// Emit takes the items that were worked on, in the order in which Fill readied them.
	// Run's own goroutine calls it.
	Emit func(item *T) error
}

// slot is an item on its way.
type slot[T any] struct {
	item T
	err  error // of Fill
	done chan struct{}
}

// Run does the job. It returns the first error of Fill or Emit, or ctx's, once all that
// it started has ended; what was readied before Fill failed is emitted first.
func Run[T any](ctx context.Context, job Job[T]) error {
	inner, cancel := context.WithCancel(ctx)
	free, queue, work := make(chan *slot[T], job.Depth), make(chan *slot[T], job.Depth), make(chan *slot[T], job.Depth)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() { job.feed(inner, free, queue, work) })
	for range job.Workers {
		group.Go(func() {
			do := job.NewWorker()
			for s := range work {
				if inner.Err() == nil {
					do(inner, &s.item)
				}
				s.done <- struct{}{}
			}
		})
	}
	for {
		var s *slot[T]
		select {
		case s = <-queue:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-s.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if errors.Is(s.err, io.EOF) {
			return nil
		}
		if s.err != nil {
			return s.err
		}
		if err := job.Emit(&s.item); err != nil {
			return err
		}
		free <- s
	}
}

// feed readies items until there are no more. The last one carries why.
func (job *Job[T]) feed(ctx context.Context, free <-chan *slot[T], queue, work chan<- *slot[T]) {
	defer close(work)
	for made := 0; ; {
		var s *slot[T]
		select {
		case s = <-free:
		default:
			if made < job.Depth {
				made++
				s = &slot[T]{done: make(chan struct{}, 1)}
				break
			}
			select {
			case s = <-free:
			case <-ctx.Done():
				return
			}
		}
		if s.err = job.Fill(ctx, &s.item); s.err != nil {
			s.done <- struct{}{}
			queue <- s
			return
		}
		work <- s
		queue <- s
	}
}
