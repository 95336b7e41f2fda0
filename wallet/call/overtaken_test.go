package call

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/pay"
)

// overtaken is a Purse that finds another process at each payment after the first.
type overtaken struct{ Purse }

func (o overtaken) Pay(ctx context.Context, due Due) (*Payment, error) {
	if due.Number > 0 {
		return nil, pay.ErrInProgress
	}
	return o.Purse.Pay(ctx, due)
}

// TestASessionThatAnotherProcessPays goes on when the process that came second finds that out and
// ends.
func TestASessionThatAnotherProcessPays(t *testing.T) {
	caller, account, r, clock := captured(t)
	caller.Purse = overtaken{account}
	go clock.Tick(t.Context(), 5*time.Second)
	_, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/live1/session"), SessionOptions{})
	require.ErrorIs(t, err, pay.ErrInProgress)
	require.Equal(t, []string{"live1: challenge", "live1: reserved with the payment"}, r.seen, "it is not stopped")
}
