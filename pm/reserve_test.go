package pm

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMissingForIsExact(t *testing.T) {
	pool, claimed, share := big.NewInt(7), big.NewInt(13), big.NewInt(1000)
	for _, reserve := range []*ReserveInfo{nil, {FundsRemaining: big.NewInt(100)}, {FundsRemaining: big.NewInt(3), ClaimedInCurrentRound: big.NewInt(50)}} {
		missing, err := reserve.MissingFor(share, pool, claimed)
		require.NoError(t, err)
		grown := func(by *big.Int) *big.Int {
			after := &ReserveInfo{FundsRemaining: by}
			if reserve != nil {
				after.FundsRemaining = new(big.Int).Add(by, reserve.FundsRemaining)
				after.ClaimedInCurrentRound = reserve.ClaimedInCurrentRound
			}
			return after.ReserveShare(pool, claimed)
		}
		require.Equal(t, share, grown(missing))
		require.Equal(t, -1, grown(new(big.Int).Sub(missing, big.NewInt(1))).Cmp(share), "one wei less is too little")
	}
	enough, err := (&ReserveInfo{FundsRemaining: big.NewInt(1 << 40)}).MissingFor(share, pool, nil)
	require.NoError(t, err)
	require.Zero(t, enough.Sign())
	_, err = (&ReserveInfo{}).MissingFor(share, new(big.Int), nil)
	require.Error(t, err, "there are no claims with an empty pool")
}
