package remote

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/signer"
)

// countingKey counts signatures.
type countingKey struct {
	signer.Source
	signed int
}

func (c *countingKey) Sign(ctx context.Context, message []byte) ([]byte, error) {
	c.signed++
	return c.Source.Sign(ctx, message)
}

// A message is signed once, with the key's own signature; and what is remembered is bounded.
func TestSignaturesAreRemembered(t *testing.T) {
	raw, err := signer.RawKey([]byte(strings.Repeat("01", 32)))
	require.NoError(t, err)
	defer raw.Close()
	counted := &countingKey{Source: raw}
	key := Remember(counted)
	for _, length := range []int{32, 33} {
		for i := range 3 {
			message := []byte(strings.Repeat(string(rune('a'+i)), length))
			want, err := raw.Sign(t.Context(), message)
			require.NoError(t, err)
			for range 2 {
				got, err := key.Sign(t.Context(), message)
				require.NoError(t, err)
				require.Equal(t, want, got)
				got[64] -= 27 // what a key returns is the caller's, who may want the recovery ID
			}
		}
	}
	require.Equal(t, 3+2*3, counted.signed, "messages of another length are not remembered")

	var r recent[string, int]
	for i := range 3 * maxRecent {
		r.put(fmt.Sprint(i), i)
		_, ok := r.get(fmt.Sprint(i))
		require.True(t, ok)
	}
	_, ok := r.get("0")
	require.False(t, ok)
	require.LessOrEqual(t, len(r.newer)+len(r.older), 2*maxRecent)
}
