package tx_test

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestLabels: codes never change, since journals have them. Sentences may.
func TestLabels(t *testing.T) {
	beneficiary := common.HexToAddress("0x3B7e8Fe678A78d8E024E30662EF48ed0a01cC1Bb")
	hash := common.HexToHash("0x0123")
	for _, c := range []struct {
		label          tx.Label
		code, sentence string
		earlier        string // as schema version 5 stored it
	}{
		{tx.FundLabel(parse(t, "0.1eth"), wei.Wei{}, common.Address{}), "fund deposit=100000000000000000 reserve=0",
			"fund 0.1 ETH of deposit", "fund 0.1 ETH of deposit and 0 wei of reserve"},
		{tx.FundLabel(parse(t, "50000gwei"), parse(t, "7wei"), beneficiary), "fund deposit=50000000000000 reserve=7 for=0x3B7e8Fe678A78d8E024E30662EF48ed0a01cC1Bb",
			"fund 50000 gwei of deposit and 7 wei of reserve for 0x3B7e8Fe678A78d8E024E30662EF48ed0a01cC1Bb", "fund 50000 gwei of deposit and 7 wei of reserve for 0x3B7e8Fe678A78d8E024E30662EF48ed0a01cC1Bb"},
		{tx.LabelUnlock, "unlock", "unlock", "unlock"},
		{tx.LabelCancelUnlock, "cancel-unlock", "cancel the unlock", "unlock cancel"},
		{tx.LabelWithdraw, "withdraw", "withdraw", "withdraw"},
		{tx.WithdrawKeepingLabel(parse(t, "0.1eth"), parse(t, "3wei")), "withdraw keep-deposit=100000000000000000 keep-reserve=3",
			"withdraw, and fund 0.1 ETH of deposit and 3 wei of reserve again", "withdraw, and put 0.1 ETH of deposit and 3 wei of reserve back"},
		{tx.RedeemLabel(1, hash), "redeem count=1 tickets=" + hash.Hex(), "redeem 1 winning ticket (" + hash.Hex() + ")", "redeem 1 winning ticket (" + hash.Hex() + ")"},
		{tx.RedeemLabel(12, hash), "redeem count=12 tickets=" + hash.Hex(), "redeem 12 winning tickets (" + hash.Hex() + ")", "redeem 12 winning tickets (" + hash.Hex() + ")"},
	} {
		require.EqualValues(t, c.code, c.label)
		require.Equal(t, c.sentence, c.label.String())
		require.Equal(t, c.label, tx.ReadLabel(c.earlier))
		require.Equal(t, c.label, tx.ReadLabel(string(c.label)), "a code stays what it is")
	}
	require.EqualValues(t, "fund 1 parsec of deposit and 0 wei of reserve", tx.ReadLabel("fund 1 parsec of deposit and 0 wei of reserve"))
	require.Equal(t, "fund deposit=x", tx.Label("fund deposit=x").String())
}

// TestEveryAmountOfAnEarlierLabel: the sentences' amounts are read exactly, in any unit.
func TestEveryAmountOfAnEarlierLabel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		deposit, reserve := wei.FromUint64(rapid.Uint64().Draw(t, "deposit")), wei.FromUint64(rapid.Uint64().Draw(t, "reserve"))
		label := tx.FundLabel(deposit, reserve, common.Address{})
		if got := tx.ReadLabel("fund " + deposit.String() + " of deposit and " + reserve.String() + " of reserve"); got != label {
			t.Fatalf("%q, want %q", got, label)
		}
	})
}
