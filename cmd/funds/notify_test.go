package funds

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/clock/clocktest"
	"github.com/pmctl/pmctl/wallet"
)

// TestAReportIsRepeated once a day, also by a machine that slept through most of it.
func TestAReportIsRepeated(t *testing.T) {
	n, now := new(notifier), time.Now()
	cannot := wallet.TopUp{Outcome: wallet.TopUpCannot, Reason: "balance"}
	require.True(t, n.fresh(cannot, now))
	now = now.Add(time.Hour)
	require.False(t, n.fresh(cannot, now))
	now = clocktest.Asleep(now, repeatAfter)
	require.True(t, n.fresh(cannot, now))
	require.False(t, n.fresh(cannot, now.Add(time.Hour)))
}
