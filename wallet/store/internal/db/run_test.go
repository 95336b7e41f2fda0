package db

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"
)

// TestARunThatEndsIsNeverDead: a process that looks while a run ends sees it alive or gone, and leaves
// nothing behind.
func TestARunThatEndsIsNeverDead(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "runs")
	for range 300 {
		run := &fileRun{folder: folder}
		token, err := run.Begin(t.Context())
		require.NoError(t, err)
		var others sync.WaitGroup
		seen := make([]RunState, 4)
		errs := make([]error, len(seen))
		for i := range seen {
			others.Go(func() {
				for seen[i] = Alive; seen[i] == Alive && errs[i] == nil; {
					seen[i], errs[i] = run.State(nil, token)
				}
			})
		}
		require.NoError(t, run.End())
		others.Wait()
		for i := range seen {
			require.NoError(t, errs[i])
			require.Equal(t, Gone, seen[i])
		}
	}
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestARunWithoutAnEndIsDead: its file stays until it is forgotten.
func TestARunWithoutAnEndIsDead(t *testing.T) {
	run := &fileRun{folder: t.TempDir()}
	token, err := run.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, run.Lose())
	other := flock.New(run.path(token))
	for range 2 { // the second while another process looks
		state, err := run.State(nil, token)
		require.NoError(t, err)
		require.Equal(t, Dead, state)
		held, err := other.TryRLock()
		require.NoError(t, err)
		require.True(t, held)
	}
	require.NoError(t, other.Unlock())
	run.Forget(token)
	state, err := run.State(nil, token)
	require.NoError(t, err)
	require.Equal(t, Gone, state)
}
