package docs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryErrorTextIsPrinted finds each error text of troubleshooting.md in what a command
// above it prints, which TestPages compares with what it does print.
func TestEveryErrorTextIsPrinted(t *testing.T) {
	p, err := readPage("troubleshooting.md")
	require.NoError(t, err)
	printed := make(map[int]bool)
	for _, s := range p.steps {
		for n := s.first; n < s.last; n++ {
			printed[n] = true
		}
	}
	texts := 0
	for n, line := range p.lines {
		if strings.HasPrefix(line, "pmctl: ") {
			texts++
			require.True(t, printed[n], "troubleshooting.md:%d: no command prints it", n+1)
		}
		require.NotRegexp(t, notRun, line, "troubleshooting.md:%d", n+1)
	}
	require.Greater(t, texts, 30)
}
