package store

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/wei"
)

// TestAllowanceIsExceededByLittle: amounts that are shown rounded could add up to the allowance.
func TestAllowanceIsExceededByLittle(t *testing.T) {
	limit, err := wei.Parse("3000gwei")
	require.NoError(t, err)
	asked := new(big.Rat).Add(big.NewRat(1e12, 1), new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(60), nil)))
	spent := new(big.Rat).Mul(asked, big.NewRat(2, 1))
	require.EqualError(t, &AllowanceError{Client: "studio", Allowance: AllowEVPerDay, Asked: asked, Spent: spent, Limit: limit},
		`another ~1000 gwei exceeds client "studio"'s allowance of 3000 gwei by 3.0e-60 wei (EV a day), of which ~2000 gwei is spent`)
	spent.Mul(spent, big.NewRat(2, 1))
	require.EqualError(t, &AllowanceError{Client: "studio", Allowance: AllowEVTotal, Asked: asked, Spent: spent, Limit: limit},
		`another ~1000 gwei exceeds client "studio"'s allowance of 3000 gwei (total EV), of which ~4000 gwei is spent`)
}
