package signer

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheLogIsFitForATerminal: what a stranger asks for does not act on the terminal that shows the log.
func TestTheLogIsFitForATerminal(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out strings.Builder
		log, err := newLog(&out, format)
		require.NoError(t, err)
		log.Info("request", "path", "/\u009b2J\u202e\x1b\n")
		require.Contains(t, out.String(), `/\u009b2J\u202e`)
		require.NotContains(t, strings.TrimSuffix(out.String(), "\n"), "\n")
	}
}

// TestAGOGCOfTheEnvironmentIsKept: a signer sets how often garbage is collected unless its user did.
func TestAGOGCOfTheEnvironmentIsKept(t *testing.T) {
	was := debug.SetGCPercent(50)
	defer debug.SetGCPercent(was)
	collectLess()
	require.Equal(t, 50, debug.SetGCPercent(100))
	collectLess()
	require.Equal(t, 200, debug.SetGCPercent(100))
}
