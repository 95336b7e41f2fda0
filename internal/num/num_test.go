package num_test

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/internal/num"
)

// TestFractionsAreThoseOfTheLongWay: sums, multiples and rounded quotients are what math/big makes of
// them, in lowest terms, and leave what they were made of as it was.
func TestFractionsAreThoseOfTheLongWay(t *testing.T) {
	fraction := rapid.Custom(func(t *rapid.T) *big.Rat {
		return big.NewRat(rapid.Int64Range(-1e9, 1e9).Draw(t, "numerator"), rapid.OneOf(rapid.Just(int64(12)), rapid.Just(int64(1)), rapid.Int64Range(1, 1e9)).Draw(t, "denominator"))
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b, n := fraction.Draw(t, "a"), fraction.Draw(t, "b"), rapid.Uint64().Draw(t, "n")
		wasA, wasB := a.String(), b.String()
		require.Equal(t, new(big.Rat).Add(a, b).String(), num.Sum(a, b).String())
		require.Equal(t, new(big.Rat).Mul(a, new(big.Rat).SetUint64(n)).String(), num.Times(a, n).String())
		if b.Sign() > 0 {
			require.Equal(t, num.Ceil(new(big.Rat).Quo(a, b)), num.CeilQuo(a, b))
		}
		num.Times(a, 1).SetInt64(7)
		num.Sum(a, new(big.Rat)).SetInt64(7)
		require.Equal(t, []string{wasA, wasB}, []string{a.String(), b.String()})
	})
}
