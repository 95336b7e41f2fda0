package remote

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestRatesOfStrangers: callers without a client take nothing from those at other addresses, nor
// from clients, and those of one IPv6 network count as one. What is remembered of them is bounded.
func TestRatesOfStrangers(t *testing.T) {
	now := time.Unix(0, 0)
	rates := NewRates(Rate{PerSecond: 1, Burst: 2}, func() time.Time { return now })
	for _, from := range [][2]string{
		{"192.0.2.1:1", "192.0.2.1:2"},
		{"192.0.2.2:1", "[::ffff:192.0.2.2]:2"},
		{"[2001:db8::1]:1", "[2001:db8::ffff:2%eth0]:1"},
		{"[2001:db8:0:1::1]:1", "[2001:db8:0:1::1]:1"},
		{"@", ""},
	} {
		require.NoError(t, rates.admitAddress(from[0]))
		require.NoError(t, rates.admitAddress(from[1]))
		for _, again := range from {
			require.ErrorAs(t, rates.admitAddress(again), new(*BusyError), again)
		}
	}
	require.NoError(t, rates.admitClient(""))
	for i := range 3 * maxRecent {
		require.NoError(t, rates.admitAddress(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&0xff, i&0xff)))
	}
	require.LessOrEqual(t, len(rates.callers.newer)+len(rates.callers.older), 2*maxRecent)
	now = now.Add(time.Second)
	require.NoError(t, rates.admitAddress("10.0.0.1:1"))
}

// TestARateOfOnceInAnAge: the wait may be the longest duration, whose seconds are rounded up.
func TestARateOfOnceInAnAge(t *testing.T) {
	for rate, after := range map[float64]string{1e-12: "9223372037", 1: "1", 0.4: "3"} {
		rates := NewRates(Rate{PerSecond: rate}, func() time.Time { return time.Unix(0, 0) })
		require.NoError(t, rates.admitClient("ann"))
		answer := httptest.NewRecorder()
		fail(answer, httptest.NewRequest("", "/", nil), rates.admitClient("ann"))
		require.Equal(t, after, answer.Header().Get("Retry-After"))
	}
}
