// Package ordered distributes work over several goroutines and returns the results in the order of
// the work.
package ordered

import (
	"context"
	"io"
	"sync"
)

// Job is work that comes in items. At most Depth items exist, which are reused, so that a slow
// stage delays the others.
type Job[T any] struct {
	// Workers is the number of goroutines; Depth is the most items. Both are at least 1.
	Workers, Depth int

	// Fill prepares the next item, which may have been used before, or returns io.EOF itself if
	// there is none. One goroutine calls it; it must return when its ctx ends.
	Fill func(ctx context.Context, item *T) error

	// NewWorker returns a function that processes items. Each worker has its own; it must return
	// when its ctx ends.
	NewWorker func() func(ctx context.Context, item *T)

	// Emit receives the processed items, in the order of Fill, in Run's own goroutine.
	Emit func(item *T) error
}

type slot[T any] struct {
	item T
	err  error // returned by Fill
	done chan struct{}
}

// Run runs the job. It returns the first error of Fill or Emit, or ctx's, once all its goroutines
// have ended. Items prepared before Fill failed are emitted first.
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
		// A select with two ready cases takes either, and workers leave items alone, or half
		// done, once ctx has ended.
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.err == io.EOF { // one that wraps it, as of a connection that was closed, is a failure
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

// feed prepares items until there are no more. The last one carries the error.
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
