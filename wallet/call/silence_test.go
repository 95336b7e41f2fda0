package call

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestNoSilenceAfterTheEnd: an answer may come while the last of its request is reported as written,
// which begins the time anew. It must not end the rest of the answer. (The moment is short: the race
// detector widens it.)
func TestNoSilenceAfterTheEnd(t *testing.T) {
	for range 5000 {
		_, s := limit(t.Context(), time.Hour, true)
		var writing sync.WaitGroup
		begun := make(chan struct{})
		writing.Go(func() {
			s.set(true)
			close(begun)
			for range 100 {
				s.set(true)
			}
		})
		<-begun
		s.end()
		writing.Wait()
		require.False(t, s.timer.Stop(), "the timer runs")
	}
}
