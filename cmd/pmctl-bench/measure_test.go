package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMedian(t *testing.T) {
	require.Equal(t, 2.0, median([]float64{9, 1, 2}))
	require.Equal(t, 3.0, median([]float64{1, 9, 2, 4}))
	require.Equal(t, 5.0, median([]float64{5}))
}

// Every row runs, from the building of the programs on.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("what is timed is not under the race detector")
	}
	t.Chdir("../..")
	require.NoError(t, run(t.Context(), []string{"-pairs", "1"}))
	require.ErrorContains(t, run(t.Context(), []string{"-pairs", "0"}), "at least 1")
	require.ErrorContains(t, run(t.Context(), []string{"many"}), "usage")
}
