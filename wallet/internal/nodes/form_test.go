package nodes

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/stretchr/testify/require"
)

// TestANumberIsBounded: more digits than 256 bits have are refused by their length. Reading millions of them
// would take minutes.
func TestANumberIsBounded(t *testing.T) {
	_, err := number(json.RawMessage(strings.Repeat("7", 79)))
	require.ErrorContains(t, err, "is not a hexadecimal number")
	for _, fits := range []string{"42161", strings.Repeat("1", 78)} {
		value, err := number(json.RawMessage(fits))
		require.NoError(t, err)
		var read hexutil.Big
		require.NoError(t, json.Unmarshal(value, &read))
		require.Equal(t, fits, read.ToInt().String())
	}
}
