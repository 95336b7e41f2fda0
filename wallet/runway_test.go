package wallet

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/wei"
)

// TestForecastOfSeveralFaceValues: the same past has the same forecast, however many prizes
// the tickets had.
func TestForecastOfSeveralFaceValues(t *testing.T) {
	until := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	tell := func() *Forecast {
		p := newPace(until.AddDate(0, 0, -20), until)
		for day := range 20 {
			for prize := range int64(6) {
				p.add(until.AddDate(0, 0, -day), 0.1*float64(prize+1), big.NewRat(1000, 1), big.NewInt(1000*(prize*prize+1)))
			}
		}
		told, err := p.forecast(wei.FromUint64(200_000), 0)
		require.NoError(t, err)
		return told
	}
	want := tell()
	require.Less(t, want.DaysLow, want.DaysMedian)
	require.Equal(t, until.Add(time.Duration(want.DaysMedian*float64(24*time.Hour))).Truncate(time.Second), want.Median)
	for range 30 {
		require.Equal(t, want, tell())
	}
}
