package clocktest

import (
	"context"
	"sync"
)

// Deadline returns a context whose deadline passes when pass is called, by no clock. It does not end
// with parent, of which it has the values.
func Deadline(parent context.Context) (ctx context.Context, pass func()) {
	over := make(chan struct{})
	return untold{parent, over}, sync.OnceFunc(func() { close(over) })
}

type untold struct {
	context.Context
	over chan struct{}
}

func (u untold) Done() <-chan struct{} { return u.over }

func (u untold) Err() error {
	select {
	case <-u.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}
