package ordered

import (
	"context"
	"io"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// item is the number that Fill gave it, and the one that a worker has processed.
type item struct{ number, processed int }

// TestOnlyProcessedItemsAreEmitted: workers leave items alone once the context has ended. Which of
// two ready channels a select takes is random, so it ends a hundred times.
func TestOnlyProcessedItemsAreEmitted(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			filled := 0
			err := Run(ctx, Job[item]{
				Workers: 2,
				Depth:   4,
				Fill: func(_ context.Context, i *item) error {
					filled++
					i.number = filled
					return nil
				},
				NewWorker: func() func(context.Context, *item) {
					return func(ctx context.Context, i *item) {
						if i.number > 1 {
							<-ctx.Done()
							return
						}
						i.processed = i.number
					}
				},
				Emit: func(i *item) error {
					require.Equal(t, item{1, 1}, *i)
					cancel()
					synctest.Wait() // until nothing is left to do but to look at what is ready
					return nil
				},
			})
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

// TestItemsBeforeTheEndAreEmitted: an error of Fill stops nothing that was prepared before it.
func TestItemsBeforeTheEndAreEmitted(t *testing.T) {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF} {
		var filled, emitted int
		err := Run(t.Context(), Job[item]{
			Workers: 3,
			Depth:   5,
			Fill: func(_ context.Context, i *item) error {
				if filled == 17 {
					return end
				}
				filled++
				i.number = filled
				return nil
			},
			NewWorker: func() func(context.Context, *item) {
				return func(_ context.Context, i *item) { i.processed = i.number }
			},
			Emit: func(i *item) error {
				emitted++
				require.Equal(t, item{emitted, emitted}, *i)
				return nil
			},
		})
		require.Equal(t, 17, emitted)
		if end == io.EOF {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, end)
		}
	}
}
