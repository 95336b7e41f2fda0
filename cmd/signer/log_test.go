package signer

import (
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
