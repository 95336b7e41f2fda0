package format

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNumbersOfMillionsOfDigits: they are refused, and not read first, which takes longer than a test may.
func TestNumbersOfMillionsOfDigits(t *testing.T) {
	digits := strings.Repeat("7", 10_000_000)
	whole, fraction := []byte(`"`+digits+`"`), []byte(`"`+digits+"/"+strings.Repeat("9", len(digits))+`"`)
	require.Error(t, json.Unmarshal(whole, new(Ceil)))
	require.Error(t, json.Unmarshal(fraction, new(Fraction)))
	_, err := asNumber("ev", whole)
	require.ErrorIs(t, err, ErrSyntax)
	_, err = asPair("ev", fraction)
	require.ErrorIs(t, err, ErrSyntax)
}
