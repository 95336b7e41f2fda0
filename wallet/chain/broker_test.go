package chain_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// done waits for a broker's transaction.
func done(t *testing.T, broker *broker.Account) func(*types.Transaction, error) {
	return func(tx *types.Transaction, err error) {
		t.Helper()
		require.NoError(t, err)
		require.NoError(t, broker.CheckTx(tx))
	}
}

// TestRedeem redeems a ticket that always wins. The contract's refusals match the reasons by
// which package pm's queue settles a ticket.
func TestRedeem(t *testing.T) {
	d, client := start(t, devnet.Config{})
	acts, sender := account(t, d, client, 0)
	_, recipient := account(t, d, client, 1)
	require.NoError(t, d.AddTranscoder(t.Context(), recipient))
	broker, err := chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)
	done(t, broker)(broker.FundDepositAndReserve(ether(t, "1eth"), ether(t, "1eth")))
	facts, err := client.Facts(t.Context(), sender)
	require.NoError(t, err)

	recipientRand := big.NewInt(12345)
	ticket := &pm.Ticket{
		Recipient: recipient, Sender: sender, FaceValue: ether(t, "0.25eth"), SenderNonce: 1,
		WinProb:                new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)),
		RecipientRandHash:      crypto.Keccak256Hash(common.BigToHash(recipientRand).Bytes()),
		CreationRound:          facts.LastInitializedRound.Int64(),
		CreationRoundBlockHash: facts.LastInitializedL1BlockHash,
	}
	sign := func(ticket *pm.Ticket) []byte {
		sig, err := key(t, d, 0).Signer.Sign(ticket.Hash().Bytes())
		require.NoError(t, err)
		return sig
	}
	used, err := broker.IsUsedTicket(ticket)
	require.NoError(t, err)
	require.False(t, used)
	done(t, broker)(broker.RedeemWinningTicket(ticket, sign(ticket), recipientRand))
	status, err := client.Status(t.Context(), sender)
	require.NoError(t, err)
	require.Equal(t, "750000000000000000", status.Sender.Deposit.Decimal())
	used, err = broker.IsUsedTicket(ticket)
	require.NoError(t, err)
	require.True(t, used)

	_, err = broker.RedeemWinningTicket(ticket, sign(ticket), recipientRand)
	require.ErrorIs(t, err, pm.ErrTicketUsed)
	other := *ticket
	other.CreationRound = 1 << 40
	_, err = broker.RedeemWinningTicket(&other, sign(&other), recipientRand)
	require.ErrorIs(t, err, pm.ErrNoRoundBlockHash)
	_, err = broker.RedeemWinningTicket(ticket, sign(ticket), big.NewInt(54321))
	require.ErrorContains(t, err, "recipientRand does not match recipientRandHash")
}

// TestBrokerRefusesNonsense: no argument may panic, overflow or be sent.
func TestBrokerRefusesNonsense(t *testing.T) {
	d, client := start(t, devnet.Config{})
	acts, who := account(t, d, client, 0)
	broker, err := chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)
	huge := new(big.Int).Lsh(big.NewInt(1), 256)
	for _, bad := range []*big.Int{nil, big.NewInt(-1), huge} {
		_, err = broker.FundDeposit(bad)
		require.ErrorIs(t, err, wei.ErrRange)
		_, err = broker.FundReserve(bad)
		require.ErrorIs(t, err, wei.ErrRange)
		_, err = broker.FundDepositAndReserve(bad, big.NewInt(5))
		require.ErrorIs(t, err, wei.ErrRange)
		_, err = broker.FundDepositAndReserve(big.NewInt(5), bad)
		require.ErrorIs(t, err, wei.ErrRange)
	}
	most := new(big.Int).Sub(huge, big.NewInt(1))
	_, err = broker.FundDepositAndReserve(most, big.NewInt(1))
	require.ErrorIs(t, err, wei.ErrRange)

	var field *pm.FieldError
	_, err = broker.RedeemWinningTicket(&pm.Ticket{FaceValue: huge}, nil, nil)
	require.ErrorAs(t, err, &field)
	for _, rand := range []*big.Int{big.NewInt(-1), huge} {
		_, err = broker.RedeemWinningTicket(&pm.Ticket{}, nil, rand)
		require.ErrorAs(t, err, &field)
	}
	_, err = broker.RedeemWinningTicket(&pm.Ticket{}, nil, nil)
	require.ErrorContains(t, err, "ticket recipient is null address")
	_, err = broker.RedeemWinningTicket(nil, nil, nil)
	require.Error(t, err)
	_, err = broker.IsUsedTicket(nil)
	require.Error(t, err)

	nonce, err := client.PendingNonceAt(t.Context(), who)
	require.NoError(t, err)
	require.Zero(t, nonce, "nothing was sent")
}
