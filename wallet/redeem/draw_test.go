package redeem_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/redeem"
)

// TestDrawPrefersTheWinner has one ticket three times: only what could be redeemed is there twice.
func TestDrawPrefersTheWinner(t *testing.T) {
	signer, err := keystore.NewRawSigner([]byte("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"))
	require.NoError(t, err)
	t.Cleanup(signer.Close)
	rand := big.NewInt(7)
	batch := &pm.TicketBatch{
		TicketParams: &pm.TicketParams{
			Recipient: common.Address{1}, FaceValue: big.NewInt(8), WinProb: new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)),
			RecipientRandHash: crypto.Keccak256Hash(common.BigToHash(rand).Bytes()),
		},
		TicketExpirationParams: &pm.TicketExpirationParams{CreationRound: 1},
		Sender:                 signer.Address(),
	}
	sig, err := signer.Sign(pm.NewTicket(batch.TicketParams, batch.TicketExpirationParams, batch.Sender, 1).Hash().Bytes())
	require.NoError(t, err)
	for _, sig := range [][]byte{make([]byte, len(sig)), sig, sig} {
		batch.SenderParams = append(batch.SenderParams, &pm.TicketSenderParams{SenderNonce: 1, Sig: sig})
	}
	drawn, err := redeem.Draw(t.Context(), batch, rand)
	require.NoError(t, err)
	require.Len(t, drawn, 3)
	require.ErrorIs(t, drawn[0].Err, pm.ErrTicketSignature)
	require.NoError(t, drawn[1].Err)
	require.ErrorIs(t, drawn[2].Err, redeem.ErrTwice)
}
