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

// That every row runs is seen where they are measured, in .ci/run.
func TestArguments(t *testing.T) {
	require.ErrorContains(t, run(t.Context(), []string{"-pairs", "0"}), "at least 1")
	require.ErrorContains(t, run(t.Context(), []string{"many"}), "usage")
}
