package wallet

import (
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/store"
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

// TestSpendingIsObservedSince: if the ledger lacks tickets, the observed time begins where it was asked to, and
// not with the first win after that, or a few late wins would be a high rate.
func TestSpendingIsObservedSince(t *testing.T) {
	t.Parallel()
	stored, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stored.Close()) })
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	since := now.AddDate(0, 0, -30)
	one, none, left := wei.FromUint64(1000), wei.Wei{}, wei.FromUint64(5000)
	win := func(daysAgo int) history.Event {
		return history.Event{Kind: history.Redeemed, Time: now.AddDate(0, 0, -daysAgo), Deposit: &one, Reserve: &none, Redemption: &history.Redemption{Paid: one, FaceValue: one, Match: history.Unknown}}
	}
	all := wei.FromUint64(7000)
	funding := history.Event{Kind: history.DepositFunded, Time: now.AddDate(0, 0, -10), Deposit: &all}
	for name, c := range map[string]struct {
		since  time.Time
		events []history.Event
		from   time.Time
		perDay string
	}{
		"funds from before": {since, []history.Event{win(2), win(1)}, since, "67"},
		"funded meanwhile":  {since, []history.Event{funding, win(2), win(1)}, funding.Time, "200"},
		"everything":        {time.Time{}, []history.Event{funding, win(2), win(1)}, funding.Time, "200"},
	} {
		p := &past{now: now, ledger: stored.Chain(1337), status: new(chain.Status), events: c.events}
		p.status.Sender.Deposit = left
		told, err := new(Reader).runway(t.Context(), p, c.since)
		require.NoError(t, err, name)
		require.Equal(t, BasisRedemptions, told.Basis, name)
		require.Equal(t, c.from, told.Since, name)
		require.Equal(t, c.perDay, told.PaidPerDay.RatString(), name)
	}
}
