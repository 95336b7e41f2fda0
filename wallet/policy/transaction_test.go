package policy

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestTransactionsFromElsewhere: one that pmctl would not prepare itself, or that may cost
// more than the limits allow, is not signed.
func TestTransactionsFromElsewhere(t *testing.T) {
	broker := common.Address{0xbb}
	good := func() *types.DynamicFeeTx {
		return &types.DynamicFeeTx{
			ChainID: big.NewInt(1337), To: &broker, Value: big.NewInt(3), Gas: 100_000, GasFeeCap: big.NewInt(5 * gwei), GasTipCap: big.NewInt(gwei),
			Data: contract.NewTicketBroker().PackFundDepositAndReserve(big.NewInt(1), big.NewInt(2)),
		}
	}
	price, fee := wei.FromUint64(5*gwei), wei.FromUint64(500_000*gwei)
	limits, err := Default().With(Rules{Values: Values{MaxGasPrice: AmountOf(price), MaxFee: AmountOf(fee)}, Binding: true, Where: in("a file")})
	require.NoError(t, err)
	call, err := limits.CheckTransaction(types.NewTx(good()), 1337, broker)
	require.NoError(t, err)
	require.Equal(t, "fundDepositAndReserve", call.Function)
	legacy := good()
	_, err = limits.CheckTransaction(types.NewTx(&types.LegacyTx{To: &broker, Value: legacy.Value, Data: legacy.Data, Gas: legacy.Gas, GasPrice: legacy.GasFeeCap}), 1337, broker)
	require.NoError(t, err)

	for says, change := range map[string]func(*types.DynamicFeeTx){
		"it is for chain ID 1, but the network's is 1337": func(t *types.DynamicFeeTx) { t.ChainID = big.NewInt(1) },
		"it has an access list":                           func(t *types.DynamicFeeTx) { t.AccessList = types.AccessList{{}} },
		"it creates a contract":                           func(t *types.DynamicFeeTx) { t.To = nil },
		"it is to 0xdD00000000000000000000000000000000000000, but the network's Ticket": func(t *types.DynamicFeeTx) { t.To = &common.Address{0xdd} },
		"0 bytes of data are no call":                                                   func(t *types.DynamicFeeTx) { t.Data = nil },
		"requires a value of 3 wei, but the transaction has 4 wei":                      func(t *types.DynamicFeeTx) { t.Value = big.NewInt(4) },
		"offers for a unit of gas 5.000000001 gwei, above the limit of 5 gwei (max-gas": func(t *types.DynamicFeeTx) { t.GasFeeCap = big.NewInt(5*gwei + 1) },
		"gas may be 0.000500005 ETH, above the limit of 0.0005 ETH (max-fee in a file)": func(t *types.DynamicFeeTx) { t.Gas++ },
	} {
		changed := good()
		change(changed)
		_, err := limits.CheckTransaction(types.NewTx(changed), 1337, broker)
		require.ErrorIs(t, err, ErrLimit, says)
		require.ErrorContains(t, err, says)
		var refusal *Refusal
		require.ErrorAs(t, err, &refusal)
		require.NotEmpty(t, refusal.Hint())
	}
	_, err = limits.CheckTransaction(types.NewTx(&types.AccessListTx{To: &broker}), 1337, broker)
	require.ErrorContains(t, err, "it has type 1")
	require.ErrorIs(t, err, ErrTransaction)

	// No price, and no gas, is wide enough to get around the caps.
	wide := good()
	wide.Gas, wide.GasFeeCap = 1<<63, new(big.Int).Lsh(big.NewInt(1), 255)
	require.ErrorIs(t, Default().CheckFee(types.NewTx(wide)), ErrLimit)
}
