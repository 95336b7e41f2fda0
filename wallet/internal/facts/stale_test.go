package facts

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStaleAges: an age that exceeds the highest one by less than a second is shown as it is.
func TestStaleAges(t *testing.T) {
	why := errors.New("no answer")
	for age, says := range map[time.Duration]string{
		0:                        "no data from the chain: no answer",
		30100 * time.Millisecond: "the data from the chain is 30.1s old, and may be 30s old: no answer",
		31100 * time.Millisecond: "the data from the chain is 31s old, and may be 30s old: no answer",
		2 * time.Minute:          "the data from the chain is 2m old, and may be 30s old: no answer",
	} {
		require.EqualError(t, Stale(age, 30*time.Second, why), says)
	}
}
