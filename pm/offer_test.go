package pm

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFaceValueOfAConfig tests each boundary of the arithmetic; redemption costs 1000 units of
// gas.
func TestFaceValueOfAConfig(t *testing.T) {
	config := TicketParamsConfig{EV: big.NewInt(500), RedeemGas: 1000, TxCostMultiplier: 10}
	for name, c := range map[string]struct {
		gasPrice, maxFloat, most int64
		want                     int64
		refused                  bool
	}{
		"a multiple of the cost":         {gasPrice: 1, maxFloat: 1e18, want: 10_000},
		"a multiple of the EV":           {gasPrice: 0, maxFloat: 1e18, want: 50_000},
		"max float":                      {gasPrice: 1, maxFloat: 9_999, want: 9_999},
		"its own limit":                  {gasPrice: 1, maxFloat: 9_999, most: 2_000, want: 2_000},
		"just the cost":                  {gasPrice: 1, maxFloat: 1000, want: 1000},
		"below the cost":                 {gasPrice: 1, maxFloat: 999, want: 999, refused: true},
		"just the EV":                    {gasPrice: 0, maxFloat: 500, want: 500},
		"below the EV":                   {gasPrice: 0, maxFloat: 499, want: 499, refused: true},
		"the cost at the usual price":    {gasPrice: 4e9, maxFloat: 3e12, want: 3e12},
		"below the cost at either price": {gasPrice: 4e9, maxFloat: 3e12 - 1, want: 3e12 - 1, refused: true},
		"no reserve":                     {gasPrice: 1, want: 0, refused: true},
		"a limit below the cost":         {gasPrice: 1, maxFloat: 1e18, most: 999, want: 999, refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.FaceValue(big.NewInt(c.gasPrice), big.NewInt(c.maxFloat), big.NewInt(c.most))
			require.Equal(t, c.want, got.Int64())
			if c.refused {
				require.ErrorIs(t, err, ErrInsufficientSenderReserve)
			} else {
				require.NoError(t, err)
			}
		})
	}
	require.Equal(t, "500", config.EV.String(), "the config is only read")
}
