package pgtest

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFoldersOfKilledBinaries: the next server removes what a killed binary has left, and nothing that is in use.
func TestFoldersOfKilledBinaries(t *testing.T) {
	parent := t.TempDir()
	create := func(age time.Duration) (string, func() error) {
		dir, lock, err := newFolder(parent)
		require.NoError(t, err)
		require.NoError(t, os.Chtimes(dir, time.Time{}, time.Now().Add(-age)))
		return dir, lock.Close
	}
	used, end := create(2 * settled)
	begun, release := create(0)
	require.NoError(t, release())
	dead, kill := create(2 * settled)
	require.NoError(t, kill())
	_, endNext := create(0)
	require.NoDirExists(t, dead)
	require.DirExists(t, used)
	require.DirExists(t, begun)
	require.NoError(t, end())
	require.NoError(t, endNext())
}

func TestServer(t *testing.T) {
	var s Server
	defer s.Stop()
	first, second := s.Database(t), s.Database(t)
	if first == second {
		t.Fatal("one database for two")
	}
	Exec(t, first, "CREATE TABLE kept (a INT)", "INSERT INTO kept VALUES (1)")
	for _, kill := range []bool{true, false} {
		s.Crash(t, kill)
		s.Start(t)
		Exec(t, first, "SELECT a FROM kept")
	}
	s.Crash(t, true)
	s.StartAsStandby(t)
	Exec(t, first, "SELECT 1 / pg_is_in_recovery()::int")
}
