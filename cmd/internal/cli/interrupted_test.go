package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestInterruptedOnce: the error of a command that was only interrupted says that once.
func TestInterruptedOnce(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupt signal received")
	cancel(cause)
	require.EqualError(t, Interrupted(ctx, context.Cause(ctx)), "interrupted")
	require.EqualError(t, Interrupted(ctx, ctx.Err()), "interrupted")
	require.EqualError(t, Interrupted(ctx, fmt.Errorf("read the journal: %w", cause)), "interrupted: read the journal: interrupt signal received")
}
