package nodes

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestANumberOfMillionsOfDigits: it is refused, and not read first, which takes longer than a test may.
func TestANumberOfMillionsOfDigits(t *testing.T) {
	_, err := number(json.RawMessage(strings.Repeat("7", 10_000_000)))
	require.ErrorContains(t, err, "is not a hexadecimal number")
	value, err := number(json.RawMessage("42161"))
	require.NoError(t, err)
	require.JSONEq(t, `"0xa4b1"`, string(value))
}
