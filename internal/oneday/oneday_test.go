package oneday

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestADayIsNotLeft: a bubble's clock begins at midnight UTC.
func TestADayIsNotLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		For(t, time.Minute)
		require.Equal(t, begun, time.Now(), "there is time enough")

		time.Sleep(24*time.Hour - time.Minute)
		For(t, time.Minute)
		require.Equal(t, begun.Add(24*time.Hour), time.Now(), "the next day has begun")
	})
}
