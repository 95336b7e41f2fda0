package store

import (
	"github.com/ethereum/go-ethereum/common"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestACreditIsTakenOnce: of two payments that have seen the same credit one takes it; what
// is added to a session adds up, and another session's credit is not mixed with it.
func TestACreditIsTakenOnce(t *testing.T) {
	onEach(t, func(t *testing.T, place place) {
		c, at := open(t, place(t)).Chain(testChain), time.UnixMilli(1_700_000_000_000).UTC()
		const url = "https://recipient.example:8935"
		me := common.Address{7}
		credit := func(session string, amount int64) Credit { return Credit{session, big.NewInt(amount), at} }
		seen := func() Credit {
			now, err := c.Credit(t.Context(), me, url)
			require.NoError(t, err)
			return now
		}
		require.Equal(t, Credit{}, seen())
		require.NoError(t, c.AddCredit(t.Context(), me, url, credit("a", 5), time.Minute))
		later := credit("a", 2)
		later.At = at.Add(time.Second)
		require.NoError(t, c.AddCredit(t.Context(), me, url, later, time.Minute))
		require.NoError(t, c.AddCredit(t.Context(), me, url, credit("a", 1), time.Minute))
		both := seen()
		require.Equal(t, Credit{"a", big.NewInt(8), later.At}, both)
		for _, other := range []Credit{credit("b", 8), credit("a", 7)} {
			taken, err := c.TakeCredit(t.Context(), me, url, other)
			require.NoError(t, err)
			require.False(t, taken)
		}
		for _, want := range []bool{true, false} {
			taken, err := c.TakeCredit(t.Context(), me, url, both)
			require.NoError(t, err)
			require.Equal(t, want, taken)
		}
		require.NoError(t, c.AddCredit(t.Context(), me, url, credit("a", 5), time.Minute))
		require.NoError(t, c.AddCredit(t.Context(), me, url, credit("b", 3), time.Minute))
		require.Equal(t, credit("b", 3), seen())
		old := credit("b", 4)
		old.At = at.Add(time.Minute)
		require.NoError(t, c.AddCredit(t.Context(), me, url, old, time.Minute))
		require.Equal(t, old, seen(), "one that does not count any more is not revived")

		for _, none := range []*big.Int{nil, new(big.Int), big.NewInt(-1)} {
			require.NoError(t, c.AddCredit(t.Context(), me, url, Credit{"c", none, at}, time.Minute))
			require.Equal(t, old, seen(), "no credit replaces none")
			taken, err := c.TakeCredit(t.Context(), me, url, Credit{old.Session, none, old.At})
			require.NoError(t, err)
			require.False(t, taken)
		}
	})
}
