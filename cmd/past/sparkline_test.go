package past

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSparkline(t *testing.T) {
	require.Equal(t, "▁▂▃▄▅▆▇█", sparkline([]float64{0.1, 1, 2, 3, 4, 5, 6, 8}, 8))
	require.Equal(t, "█ ▅", sparkline([]float64{8, 0, 4, 0}, 8))
	require.Equal(t, "▅█", sparkline([]float64{1, 1, 2, 2}, 2), "what does not fit is added up")
	require.Empty(t, sparkline([]float64{0, 0}, 8))
	require.Empty(t, sparkline(nil, 8))
}
