package wallet

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/store"
)

// A signer that was killed becomes silent, and is no longer shown an hour later.
func TestReplicaStates(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	signer := func(host string) *announcer {
		a := newAnnouncer(s.Chain(1).LivePayments(common.Address{1}), host, "v1", clock, nil)
		require.NoError(t, a.announce(t.Context(), false))
		return a
	}
	a, b, _ := signer("a"), signer("b"), signer("killed")
	states := func() map[string]ReplicaState {
		t.Helper()
		found, err := a.replicas(t.Context())
		require.NoError(t, err)
		states := make(map[string]ReplicaState)
		for _, one := range found {
			require.Equal(t, one.Host == "a", one.Own)
			states[one.Host] = one.State
		}
		return states
	}
	now = now.Add(silentAfter)
	require.Equal(t, map[string]ReplicaState{"a": ReplicaAlive, "b": ReplicaAlive, "killed": ReplicaAlive}, states())
	now = now.Add(time.Second)
	require.NoError(t, a.announce(t.Context(), false))
	require.NoError(t, b.announce(t.Context(), true))
	require.Equal(t, map[string]ReplicaState{"a": ReplicaAlive, "b": ReplicaStopped, "killed": ReplicaSilent}, states())
	now = now.Add(replicasShown)
	require.NoError(t, a.announce(t.Context(), false))
	require.Equal(t, map[string]ReplicaState{"a": ReplicaAlive, "b": ReplicaStopped}, states())

	// One that was killed while its clock was a year ahead is not alive for a year.
	now = now.AddDate(1, 0, 0)
	signer("ahead")
	now = now.AddDate(-1, 0, 0)
	require.NoError(t, a.announce(t.Context(), false))
	require.Equal(t, map[string]ReplicaState{"a": ReplicaAlive}, states())
}

// TestAFailureToWriteEndsWithItsCause: whether the store can be written does not wait for the next time that the signer
// records that it runs.
func TestAFailureToWriteEndsWithItsCause(t *testing.T) {
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	a := newAnnouncer(s.Chain(1).LivePayments(common.Address{1}), "a", "v1", time.Now, nil)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, a.announce(gone, false))
	require.Error(t, a.written(gone))
	require.NoError(t, a.written(t.Context()))
	require.NoError(t, a.written(gone), "it could be written last")

	// One that was stopped does not run again.
	require.Error(t, a.announce(gone, true))
	require.NoError(t, a.written(t.Context()))
	found, err := a.replicas(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, ReplicaStopped, found[0].State)
}

// TestAReplacedStoreCannotBeWritten: the first payment that cannot be recorded shows that, whatever the reason.
func TestAReplacedStoreCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := store.Open(t.Context(), path)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	payments := s.Chain(1).LivePayments(common.Address{1})
	signer := &RemoteSigner{announcer: newAnnouncer(payments, "a", "v1", time.Now, nil)}
	require.NoError(t, signer.announcer.announce(t.Context(), false))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path+".copy", text, 0o600))
	require.NoError(t, os.Rename(path+".copy", path))
	failed := payments.Announce(t.Context(), store.Replica{ID: "b"}, time.Time{})
	require.Error(t, failed)
	signer.observe(nil)(remote.Answered{Err: &remote.UnavailableError{Err: failed}})
	require.ErrorContains(t, signer.announcer.written(t.Context()), "its file is a different one than before")
}
