package remote

import (
	"context"
	"log/slog"
	"time"

	"github.com/pmctl/pmctl/wallet/store"
)

// Retention removes payments that are old, once their consumer has acknowledged them.
type Retention struct {
	Usage *store.LiveUsage

	// Consumer is the one that must have acknowledged a payment.
	Consumer string

	// Keep is how long a payment stays at least.
	Keep time.Duration

	Log *slog.Logger

	// Now is the clock, After a timer.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// Run removes what may be removed every hour, until ctx ends.
func (r *Retention) Run(ctx context.Context) {
	for ctx.Err() == nil {
		removed, err := r.Usage.Prune(ctx, r.Consumer, r.Now().Add(-r.Keep))
		switch {
		case err != nil && ctx.Err() == nil:
			r.Log.ErrorContext(ctx, "cannot remove old payments from the store", "error", err)
		case removed > 0:
			r.Log.InfoContext(ctx, "removed old payments from the store", "payments", removed)
		}
		select {
		case <-r.After(time.Hour):
		case <-ctx.Done():
		}
	}
}
