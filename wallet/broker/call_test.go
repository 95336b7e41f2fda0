package broker

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/contract"
)

func TestCallsThatPmctlMakes(t *testing.T) {
	broker, other := contract.NewTicketBroker(), common.Address{0xaa}
	one, two, three := big.NewInt(1), big.NewInt(2), big.NewInt(3)
	ticket := contract.ITicketBrokerTicket{FaceValue: one, WinProb: one, SenderNonce: one, AuxData: []byte{1, 2, 3}}
	for _, c := range []struct {
		value *big.Int
		data  []byte
		want  Call
	}{
		{three, broker.PackFundDeposit(), Call{Function: "fundDeposit", Deposit: three, Reserve: new(big.Int)}},
		{three, broker.PackFundReserve(), Call{Function: "fundReserve", Deposit: new(big.Int), Reserve: three}},
		{three, broker.PackFundDepositAndReserve(one, two), Call{Function: "fundDepositAndReserve", Deposit: one, Reserve: two}},
		{three, broker.PackFundDepositAndReserveFor(other, two, one), Call{Function: "fundDepositAndReserveFor", Beneficiary: &other, Deposit: two, Reserve: one}},
		{new(big.Int), broker.PackUnlock(), Call{Function: "unlock"}},
		{new(big.Int), broker.PackCancelUnlock(), Call{Function: "cancelUnlock"}},
		{new(big.Int), broker.PackWithdraw(), Call{Function: "withdraw"}},
		{new(big.Int), broker.PackRedeemWinningTicket(ticket, []byte{1}, one), Call{Function: "redeemWinningTicket", Tickets: 1}},
		{new(big.Int), broker.PackBatchRedeemWinningTickets([]contract.ITicketBrokerTicket{ticket, ticket}, [][]byte{{1}, {2}}, []*big.Int{one, two}),
			Call{Function: "batchRedeemWinningTickets", Tickets: 2}},
	} {
		got, err := ParseCall(c.value, c.data)
		require.NoError(t, err, c.want.Function)
		for _, amount := range []**big.Int{&got.Deposit, &c.want.Deposit, &got.Reserve, &c.want.Reserve} {
			if *amount != nil {
				*amount = new(big.Int).SetBytes((*amount).Bytes()) // however it is held
			}
		}
		c.want.Arguments = got.Arguments // see below
		require.Equal(t, c.want, *got)

		_, err = ParseCall(c.value, append(c.data[:len(c.data):len(c.data)], 0))
		require.ErrorIs(t, err, ErrCall, "%s with a byte more", c.want.Function)
		if c.want.Function != "fundDeposit" && c.want.Function != "fundReserve" {
			_, err = ParseCall(new(big.Int).Add(c.value, one), c.data)
			require.ErrorIs(t, err, ErrCall)
			require.ErrorContains(t, err, c.want.Function+" requires a value of "+c.value.String()+" wei")
		}
	}
}

func TestCallsThatPmctlDoesNotMake(t *testing.T) {
	broker := contract.NewTicketBroker()
	for says, data := range map[string][]byte{
		"0 bytes of data":                 nil,
		"3 bytes of data":                 {1, 2, 3},
		"no function with the selector":   {0x12, 0x34, 0x56, 0x78},
		"getSenderInfo of the":            broker.PackGetSenderInfo(common.Address{1}),
		"unlockPeriod of the":             broker.PackUnlockPeriod(),
		"fundDepositAndReserve cannot be": broker.PackFundDepositAndReserve(new(big.Int), new(big.Int))[:40],
	} {
		_, err := ParseCall(new(big.Int), data)
		require.ErrorIs(t, err, ErrCall)
		require.ErrorContains(t, err, says)
	}
}

// TestCallInWords has every argument by its name.
func TestCallInWords(t *testing.T) {
	call, err := ParseCall(big.NewInt(3), contract.NewTicketBroker().PackFundDepositAndReserveFor(common.Address{0xaa}, big.NewInt(1), big.NewInt(2)))
	require.NoError(t, err)
	require.Equal(t, []Argument{
		{"addr", "address", common.Address{0xaa}.Hex()}, {"depositAmount", "uint256", "1"}, {"reserveAmount", "uint256", "2"},
	}, call.Arguments)
	require.True(t, call.FundsItself(common.Address{0xaa}))
	require.False(t, call.FundsItself(common.Address{0xbb}))
	own, err := ParseCall(big.NewInt(3), FundDeposit())
	require.NoError(t, err)
	require.True(t, own.FundsItself(common.Address{0xbb}))
	unlock, err := ParseCall(new(big.Int), Unlock())
	require.NoError(t, err)
	require.False(t, unlock.FundsItself(common.Address{0xbb}))
}
