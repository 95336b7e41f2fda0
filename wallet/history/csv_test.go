package history

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"
)

// TestTheTimesOfTheCSV are those of the JSON document, to the millisecond that the ledger has.
func TestTheTimesOfTheCSV(t *testing.T) {
	made := &Made{At: time.Date(2026, 3, 1, 12, 0, 0, 980e6, time.UTC)}
	var out bytes.Buffer
	require.NoError(t, WriteCSV(&out, []Event{{Redemption: &Redemption{WinProb: new(uint256.Int), Made: made}}}))
	lines, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	var document struct {
		At string `json:"created_at"`
	}
	encoded, err := json.Marshal(made)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(encoded, &document))
	require.Equal(t, document.At, lines[1][slices.Index(lines[0], "created_at")])
}
