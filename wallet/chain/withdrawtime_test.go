package chain

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/wei"
)

func TestWithdrawTime(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	status := func(withdraw int64) *Status {
		return &Status{
			Head:   Head{L1Block: 1030, Time: now},
			Round:  Round{Current: big.NewInt(20), StartBlock: big.NewInt(1000), Length: big.NewInt(50)},
			Sender: Sender{Funds: broker.Funds{Deposit: wei.FromUint64(1), WithdrawRound: big.NewInt(withdraw)}},
		}
	}
	at, ok := status(21).WithdrawTime()
	require.True(t, ok)
	require.Equal(t, now.Add(20*12*time.Second), at, "20 blocks are left of the round")
	at, ok = status(27).WithdrawTime()
	require.True(t, ok)
	require.Equal(t, now.Add((20+6*50)*12*time.Second), at)

	for name, s := range map[string]*Status{
		"not unlocking":       status(0),
		"the round has begun": status(20),
		"long ago":            status(3),
		"too far ahead":       status(1 << 40),
	} {
		_, ok := s.WithdrawTime()
		require.False(t, ok, name)
	}
	withdrawn := status(27)
	withdrawn.Sender.Deposit = wei.Wei{}
	_, ok = withdrawn.WithdrawTime()
	require.False(t, ok, "there is nothing to withdraw")
}
