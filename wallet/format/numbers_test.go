package format

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNumbersAreBounded: one digit more than any number needs is refused by its length. Reading millions
// of them would take minutes.
func TestNumbersAreBounded(t *testing.T) {
	for digits, ok := range map[int]bool{100: true, 101: false} {
		whole := []byte(`"` + strings.Repeat("7", digits) + `"`)
		_, err := asNumber("ev", whole)
		require.Equal(t, ok, json.Unmarshal(whole, new(Ceil)) == nil, digits)
		require.Equal(t, ok, err == nil, digits)
	}
	for size, ok := range map[int]bool{4096: true, 4097: false} {
		fraction := []byte(`"1/1` + strings.Repeat("0", size-len("1/1")) + `"`)
		_, err := asPair("ev", fraction)
		require.Equal(t, ok, json.Unmarshal(fraction, new(Fraction)) == nil, size)
		require.Equal(t, ok, err == nil, size)
	}
}
