package remote

import (
	"cmp"
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

	// Log gets a line when payments were removed, or could not be; nil is for none.
	Log *slog.Logger

	// Now is the clock, After a timer; nil are those of package time.
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// Run removes what may be removed every hour, until ctx ends.
func (r *Retention) Run(ctx context.Context) {
	log, now, after := cmp.Or(r.Log, slog.New(slog.DiscardHandler)), r.Now, r.After
	if now == nil {
		now = time.Now
	}
	if after == nil {
		after = time.After
	}
	for ctx.Err() == nil {
		removed, err := r.Usage.Prune(ctx, r.Consumer, now().Add(-r.Keep))
		switch {
		case err != nil && ctx.Err() == nil:
			log.ErrorContext(ctx, "cannot remove old payments from the store", "error", err)
		case removed > 0:
			log.InfoContext(ctx, "removed old payments from the store", "payments", removed)
		}
		select {
		case <-after(time.Hour):
		case <-ctx.Done():
		}
	}
}
