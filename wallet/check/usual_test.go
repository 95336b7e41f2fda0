package check

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestTheUsualOffer is what the deployed node's recipients ask for, on the chain that
// they are on and on others, also where a node names prices that cannot be.
func TestTheUsualOffer(t *testing.T) {
	eth, err := wei.Parse("1eth")
	require.NoError(t, err)
	absurd, err := wei.FromBig(new(big.Int).Lsh(big.NewInt(1), 255))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		head     chain.Head
		gasPrice wei.Wei
		want     string
	}{
		"on Arbitrum":     {chain.Head{Number: 7, L1Block: 8}, wei.FromUint64(10_000_000), "1200000000000000"},
		"elsewhere":       {chain.Head{Number: 8, L1Block: 8}, wei.FromUint64(10_000_000), "350000000000000"},
		"free gas":        {chain.Head{}, wei.Wei{}, "800000000000"},
		"dear gas":        {chain.Head{}, wei.FromUint64(1_000_000_000_000), eth.Decimal()},
		"an absurd price": {chain.Head{}, absurd, eth.Decimal()},
	} {
		t.Run(name, func(t *testing.T) {
			offer := Usual(&chain.Status{Head: c.head, GasPrice: c.gasPrice, ReservePerRecipient: eth})
			require.NoError(t, offer.Refused)
			require.Equal(t, c.want, offer.FaceValue.Decimal())
			require.Equal(t, "8000000000", offer.EV.Decimal())
		})
	}
	refused := Usual(&chain.Status{GasPrice: absurd})
	require.ErrorIs(t, refused.Refused, pm.ErrInsufficientSenderReserve)
	require.ErrorContains(t, refused.Refused, "max float is 0 wei")
}
