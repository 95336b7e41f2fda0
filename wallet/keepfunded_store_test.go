package wallet_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/pmctl/pmctl/internal/oneday"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/store/pgtest"
	"github.com/pmctl/pmctl/wallet/topup"
)

// TestKeepersOfTwoMachines has two runs on each of two machines, which share a database, look at the
// same time, again and again: each top-up is sent once.
func TestKeepersOfTwoMachines(t *testing.T) {
	t.Parallel()
	var server pgtest.Server
	r := newRich(t, map[string]string{"deposit": "1eth"})
	r.store = server.Database(t)
	t.Cleanup(server.Stop)
	for _, deposit := range []string{"1eth", "1.5eth", "1.75eth"} {
		r.rules = r.read(map[string]string{"deposit": deposit})
		var group errgroup.Group
		for machine := range 4 {
			config := r.config(0)
			config.DatabasesDir = r.machines[machine%2]
			w, err := wallet.Open(t.Context(), config)
			require.NoError(t, err)
			group.Go(func() error {
				defer w.Close()
				_, err := w.KeepFunded(t.Context(), wallet.KeepOptions{Rules: r.rules})
				return err
			})
		}
		require.NoError(t, group.Wait())
	}
	r.requireFunds("1.75 ETH", "0 wei")
}

// TestTheDayOfAKeeperEnds at midnight UTC: then as much may be moved again, and no sooner.
func TestTheDayOfAKeeperEnds(t *testing.T) {
	t.Parallel()
	oneday.For(t, 20*time.Second) // the journal has a clock of its own
	r := newRich(t, map[string]string{"deposit": "2eth", "max_per_day": "1eth"})
	midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	keep := func(at time.Time, reason topup.Reason) {
		t.Helper()
		config := r.config(0)
		config.Now = func() time.Time { return at.In(time.FixedZone("", 5*60*60)) }
		w, err := wallet.Open(t.Context(), config)
		require.NoError(t, err)
		defer w.Close()
		done, err := w.KeepFunded(t.Context(), wallet.KeepOptions{Rules: r.rules})
		if reason != "" {
			require.ErrorAs(t, err, new(*topup.ShortError))
		} else {
			require.NoError(t, err)
		}
		require.Equal(t, string(reason), done.Reason)
	}
	keep(time.Now(), topup.MaxPerDay)
	r.requireFunds("1 ETH", "0 wei")
	keep(midnight.Add(-time.Nanosecond), topup.MaxPerDay)
	r.requireFunds("1 ETH", "0 wei")
	keep(midnight, "")
	r.requireFunds("2 ETH", "0 wei")
}
