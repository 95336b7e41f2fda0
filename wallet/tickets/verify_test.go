package tickets

import (
	"context"
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/format"
)

// aTicketTwice returns a signed batch whose last ticket repeats the first.
func aTicketTwice(t *testing.T) *format.Document {
	t.Helper()
	signer, err := keystore.NewRawSigner([]byte("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"))
	require.NoError(t, err)
	t.Cleanup(signer.Close)
	batch := &pm.TicketBatch{
		TicketParams:           &pm.TicketParams{FaceValue: big.NewInt(8), WinProb: big.NewInt(9)},
		TicketExpirationParams: &pm.TicketExpirationParams{CreationRound: 1},
		Sender:                 signer.Address(),
	}
	for _, nonce := range []uint32{7, 3, 7} {
		sig, err := signer.Sign(pm.NewTicket(batch.TicketParams, batch.TicketExpirationParams, batch.Sender, nonce).Hash().Bytes())
		require.NoError(t, err)
		batch.SenderParams = append(batch.SenderParams, &pm.TicketSenderParams{SenderNonce: nonce, Sig: sig})
	}
	return &format.Document{Batch: batch}
}

func TestVerifyFindsARepeatedNonce(t *testing.T) {
	document := aTicketTwice(t)
	v, err := Verify(t.Context(), document, nil, document.Batch.Sender)
	require.NoError(t, err)
	require.Equal(t, 2, v.Valid)
	require.Len(t, v.Bad, 1)
	require.EqualValues(t, 7, v.Bad[0].Nonce)
	require.Contains(t, v.Bad[0].Reason, "twice")
	require.ErrorIs(t, v.Err(), ErrSignature)
}

// TestInspectCredentialsThatNeverExpire: a recipient chooses when its token ends, also after the last
// year that RFC 3339 has.
func TestInspectCredentialsThatNeverExpire(t *testing.T) {
	segment := &wire.SegData{AuthToken: &wire.AuthToken{Expiration: math.MaxInt64}}
	found, err := Inspect(&format.Document{Segment: segment}, nil)
	require.NoError(t, err)
	text, err := json.Marshal(found)
	require.NoError(t, err)
	require.Contains(t, string(text), `"expires_at":"9999-12-31T23:59:59Z"`)
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	document := aTicketTwice(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Verify(ctx, document, nil, document.Batch.Sender)
	require.ErrorIs(t, err, context.Canceled)
}
