// Package oneday keeps a test within one day. What is spent counts by days, which end at
// midnight UTC: a test that spends and then counts must not have one between the two.
package oneday

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Begin waits for the next day where this one has less left than a test takes.
func Begin(ctx context.Context, takes time.Duration) error {
	left := remaining(time.Now())
	if left > takes {
		return nil
	}
	select {
	case <-time.After(left):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// For is Begin for a Go test.
func For(t testing.TB, takes time.Duration) {
	t.Helper()
	require.NoError(t, Begin(t.Context(), takes))
}

// remaining is how long the day of a moment still lasts.
func remaining(at time.Time) time.Duration {
	const day = 24 * time.Hour
	return at.UTC().Truncate(day).Add(day).Sub(at)
}
