package wallet

import (
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

func TestShortRunway(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	at := func(low, below time.Duration) (alert, bool) {
		return shortRunway(common.Address{1}, &Forecast{Low: now.Add(low)}, now, below)
	}
	short, ok := at(71*time.Hour, 72*time.Hour)
	require.True(t, ok)
	require.Equal(t, runwayAlert{now.Add(71 * time.Hour), 71 * 3600, 72 * 3600}, short.data)
	again, _ := at(70*time.Hour, 72*time.Hour)
	require.Equal(t, short.name, again.name, "once a day")
	_, ok = at(72*time.Hour, 72*time.Hour)
	require.False(t, ok)
	empty, ok := at(-time.Hour, time.Hour)
	require.True(t, ok)
	require.Zero(t, empty.data.(runwayAlert).Seconds)
	_, ok = shortRunway(common.Address{1}, nil, now, time.Hour)
	require.False(t, ok, "there is no forecast")
}
