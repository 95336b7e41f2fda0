//go:build linux

package cmd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAnAnswerEndsItsLine: on a terminal, what the call cost is not written behind its answer.
func TestAnAnswerEndsItsLine(t *testing.T) {
	t.Parallel()
	s := newSeat(t)
	s.run("fund", "--deposit", "1eth", "--reserve", "1eth", "--yes")
	url := s.network.Recipients()[0].State().URL + "/apps/fixed1/app/"
	for sent, shown := range map[string]string{"hello": "hello\r\npaid ", "hello\n": "hello\r\npaid "} {
		code, out := s.sit([]string{"ETH_PASSWORD=" + s.file("pass")}, "call", url, "--data-binary", sent).end()
		require.Zero(t, code, out)
		require.Contains(t, out, shown)
	}
	require.Equal(t, "hello", s.run("call", url, "-d", "hello"))
}
