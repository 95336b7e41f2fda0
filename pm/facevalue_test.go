package pm

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLeastFaceValueIsWhereFaceValueBegins(t *testing.T) {
	const gwei = 1_000_000_000
	for _, c := range []struct {
		name            string
		gas             int
		ev, price, want int64
	}{
		{"redemption at the node's price", 1_200_000, 8 * gwei, 100_000_000, 120_000_000_000_000},
		{"redemption at 3 gwei", 1_200_000, 8 * gwei, 20 * gwei, 3_600_000_000_000_000},
		{"the EV", 1_000, 8 * gwei, 1_000_000, 8 * gwei},
		{"free redemption", 0, 8 * gwei, 50 * gwei, 8 * gwei},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := TicketParamsConfig{EV: big.NewInt(c.ev), RedeemGas: c.gas, TxCostMultiplier: 100}
			least := cfg.LeastFaceValue(big.NewInt(c.price))
			require.Equal(t, big.NewInt(c.want), least)
			got, err := cfg.FaceValue(big.NewInt(c.price), least, nil)
			require.NoError(t, err)
			require.Equal(t, least, got, "the max float is what bounds it")
			below := new(big.Int).Sub(least, big.NewInt(1))
			_, err = cfg.FaceValue(big.NewInt(c.price), below, nil)
			require.ErrorIs(t, err, ErrInsufficientSenderReserve)
			_, err = cfg.FaceValue(big.NewInt(c.price), new(big.Int).Lsh(least, 20), below)
			require.ErrorIs(t, err, ErrInsufficientSenderReserve, "its own -maxFaceValue can be what is too low")
		})
	}
}

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
		require.Equal(t, -1, grown(new(big.Int).Sub(missing, big.NewInt(1))).Cmp(share), "a wei less does not do")
	}
	enough, err := (&ReserveInfo{FundsRemaining: big.NewInt(1 << 40)}).MissingFor(share, pool, nil)
	require.NoError(t, err)
	require.Zero(t, enough.Sign())
	_, err = (&ReserveInfo{}).MissingFor(share, new(big.Int), nil)
	require.Error(t, err, "nobody can claim from an empty pool")
}
