package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet"
)

// TestInterruptedOnce: the error of a command that was only interrupted says that once.
func TestInterruptedOnce(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupt signal received")
	cancel(cause)
	require.EqualError(t, interrupted(ctx, context.Cause(ctx)), "interrupted")
	require.EqualError(t, interrupted(ctx, ctx.Err()), "interrupted")
	require.EqualError(t, interrupted(ctx, fmt.Errorf("read the journal: %w", cause)), "interrupted: read the journal: interrupt signal received")
}

// TestInterruptedWhileSending: Go's own words for it are not shown.
func TestInterruptedWhileSending(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupt signal received"))
	err := interrupted(ctx, WithHint(fmt.Errorf("it is not known whether it was sent: %w", hint.Kind(wallet.ClassUnreported, ctx.Err())), "run it again"))
	require.EqualError(t, err, "it is not known whether it was sent: interrupted")
	require.Equal(t, wallet.ClassUnreported, wallet.ClassOf(err))
	said, ok := hint.Of(err)
	require.True(t, ok)
	require.Equal(t, "run it again", said)
}
