package store

import (
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

// Each account's replicas are listed, the newest word of each, until they are forgotten.
func TestReplicas(t *testing.T) { onEach(t, replicas) }

func replicas(t *testing.T, place place) {
	p := livePayments(open(t, place(t)))
	a := Replica{ID: "1", Host: "b", Version: "v1", StartedAt: liveDay, SeenAt: liveDay}
	b := Replica{ID: "2", Host: "a", Version: "v2", StartedAt: liveDay, SeenAt: liveDay.Add(time.Minute)}
	for _, r := range []Replica{a, b} {
		require.NoError(t, p.Announce(t.Context(), r, liveDay))
	}
	require.NoError(t, p.chain.LivePayments(common.Address{9}).Announce(t.Context(), Replica{ID: "3", SeenAt: liveDay}, liveDay))
	listed := func(since time.Time) []Replica {
		t.Helper()
		found, err := p.Replicas(t.Context(), since)
		require.NoError(t, err)
		return found
	}
	require.Equal(t, []Replica{b, a}, listed(liveDay))
	b.SeenAt, b.StoppedAt = liveDay.Add(time.Hour), liveDay.Add(time.Hour)
	require.NoError(t, p.Announce(t.Context(), b, liveDay.Add(time.Second)))
	require.Equal(t, []Replica{b}, listed(liveDay))
	require.Empty(t, listed(liveDay.Add(2*time.Hour)))
}
