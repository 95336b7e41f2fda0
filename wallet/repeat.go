package wallet

import (
	"context"
	"time"
)

// repeat calls do again and again until ctx ends. Of failures in a row it reports the first.
func repeat(ctx context.Context, every time.Duration, do func(context.Context) error, report func(error)) {
	failed := false
	for ctx.Err() == nil {
		err := do(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			report(err)
		}
		failed = err != nil
		pause(ctx, every)
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, length time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}
