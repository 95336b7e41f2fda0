package format

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlainText: what is harmless stays as it is, also where a long text is cut.
func TestPlainText(t *testing.T) {
	require.Equal(t, "café", PlainText("café"))
	require.Equal(t, `"a\x1b[2J"`, PlainText("a\x1b[2J"))
	long := "a" + strings.Repeat("é", 300)
	require.Equal(t, "a"+strings.Repeat("é", 199)+"…", PlainText(long))
}
