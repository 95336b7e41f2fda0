package chain

import (
	"sync"

	"github.com/ethereum/go-ethereum/event"
)

// feed sends values to subscribers. Each has its own queue and goroutine, so that a slow or
// dead one does not block the others.
type feed[T any] struct {
	// latest keeps only the newest unread value.
	latest bool

	mu          sync.Mutex
	subscribers map[*queue[T]]struct{}
}

// queue is a subscriber's unread values.
type queue[T any] struct {
	values []T
	wake   chan struct{} // has one token while there are values
}

// subscribe sends values to sink until the subscription ends.
func (f *feed[T]) subscribe(sink chan<- T) event.Subscription {
	q := &queue[T]{wake: make(chan struct{}, 1)}
	f.mu.Lock()
	if f.subscribers == nil {
		f.subscribers = make(map[*queue[T]]struct{})
	}
	f.subscribers[q] = struct{}{}
	f.mu.Unlock()
	return event.NewSubscription(func(quit <-chan struct{}) error {
		defer func() {
			f.mu.Lock()
			delete(f.subscribers, q)
			f.mu.Unlock()
		}()
		for {
			select {
			case <-q.wake:
			case <-quit:
				return nil
			}
			for _, v := range f.take(q) {
				select {
				case sink <- v:
				case <-quit:
					return nil
				}
			}
		}
	})
}

// send queues a value for every subscriber, without blocking.
func (f *feed[T]) send(v T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for q := range f.subscribers {
		if f.latest {
			q.values = q.values[:0]
		}
		q.values = append(q.values, v)
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

func (f *feed[T]) take(q *queue[T]) []T {
	f.mu.Lock()
	defer f.mu.Unlock()
	values := q.values
	q.values = nil
	return values
}
