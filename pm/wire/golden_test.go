package wire

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
)

// golden is the output of the network's reference implementation.
type golden struct {
	OrchestratorRequest struct {
		Address         common.Address
		Message         hexutil.Bytes
		PrivateKey      hexutil.Bytes
		RequestProtoHex hexutil.Bytes
		Signature       hexutil.Bytes
		SignedText      string
	}
	Payments []goldenPayment
	Segments []struct {
		Name      string
		AuthToken struct {
			Expiration int64
			SessionID  string `json:"sessionId"`
			Token      hexutil.Bytes
		}
		DataHash        hexutil.Bytes
		LivepeerSegment string
		ManifestID      string `json:"manifestId"`
		PrivateKey      hexutil.Bytes
		Sender          common.Address
		Seq             int64
		Sig             hexutil.Bytes
		SignedMessage   hexutil.Bytes
	}
}

type goldenPayment struct {
	Name                   string
	PrivateKey             hexutil.Bytes
	Sender, Recipient      common.Address
	FaceValue              string
	WinProb                string
	RecipientRandHash      common.Hash
	Seed                   hexutil.Bytes
	ExpirationBlock        string
	CreationRound          int64
	CreationRoundBlockHash common.Hash
	PricePerUnit           int64
	PixelsPerUnit          int64
	StartNonce             uint32
	Count                  uint32
	OrchestratorInfoBase64 string
	SenderParams           []struct {
		SenderNonce uint32
		Sig         hexutil.Bytes
	}
	PaymentProtoHex hexutil.Bytes
	Header          string
}

func (g goldenPayment) params(t *testing.T) *pm.TicketParams {
	number := func(s string) *big.Int {
		v, ok := new(big.Int).SetString(s, 10)
		require.True(t, ok, s)
		return v
	}
	return &pm.TicketParams{
		Recipient:         g.Recipient,
		FaceValue:         number(g.FaceValue),
		WinProb:           number(g.WinProb),
		RecipientRandHash: g.RecipientRandHash,
		Seed:              new(big.Int).SetBytes(g.Seed),
		ExpirationBlock:   number(g.ExpirationBlock),
		PricePerPixel:     big.NewRat(g.PricePerUnit, g.PixelsPerUnit),
		ExpirationParams:  &pm.TicketExpirationParams{CreationRound: g.CreationRound, CreationRoundBlockHash: g.CreationRoundBlockHash},
	}
}

func loadGolden(t testing.TB) golden {
	text, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(text, &g))
	require.NotEmpty(t, g.Payments)
	require.NotEmpty(t, g.Segments)
	return g
}

// testSigner signs with a key in memory.
type testSigner struct{ key hexutil.Bytes }

func (s testSigner) Account() accounts.Account {
	key, _ := crypto.ToECDSA(s.key)
	return accounts.Account{Address: crypto.PubkeyToAddress(key.PublicKey)}
}

func (s testSigner) Sign(msg []byte) ([]byte, error) {
	key, err := crypto.ToECDSA(s.key)
	if err != nil {
		return nil, err
	}
	sig, err := crypto.Sign(accounts.TextHash(msg), key)
	if err != nil {
		return nil, err
	}
	sig[64] += 27
	return sig, nil
}

func TestGoldenPayments(t *testing.T) {
	for _, g := range loadGolden(t).Payments {
		t.Run(g.Name, func(t *testing.T) {
			raw, err := base64.StdEncoding.DecodeString(g.OrchestratorInfoBase64)
			require.NoError(t, err)
			info := new(OrchestratorInfo)
			require.NoError(t, proto.Unmarshal(raw, info))
			params, err := info.Params()
			require.NoError(t, err)
			want := g.params(t)
			require.Equal(t, want, params)

			batch := &pm.TicketBatch{TicketParams: params, TicketExpirationParams: params.ExpirationParams, Sender: g.Sender}
			err = pm.Mint(context.Background(), testSigner{g.PrivateKey}, params, params.ExpirationParams,
				pm.NonceRange{First: g.StartNonce + 1, Count: g.Count}, func(sp pm.TicketSenderParams) error {
					batch.SenderParams = append(batch.SenderParams, &pm.TicketSenderParams{SenderNonce: sp.SenderNonce, Sig: append([]byte(nil), sp.Sig...)})
					return nil
				})
			require.NoError(t, err)
			require.Len(t, batch.SenderParams, len(g.SenderParams))
			for i, sp := range g.SenderParams {
				require.Equal(t, sp.SenderNonce, batch.SenderParams[i].SenderNonce)
				require.Equal(t, []byte(sp.Sig), batch.SenderParams[i].Sig)
			}

			payment, err := PaymentFor(batch)
			require.NoError(t, err)
			encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(payment)
			require.NoError(t, err)
			require.Equal(t, hex.EncodeToString(g.PaymentProtoHex), hex.EncodeToString(encoded))
			header, err := EncodeHeader(payment)
			require.NoError(t, err)
			require.Equal(t, g.Header, header)

			decoded, err := DecodePaymentHeader(g.Header)
			require.NoError(t, err)
			back, err := decoded.Batch()
			require.NoError(t, err)
			require.Equal(t, batch, back)
		})
	}
}

func TestGoldenSegments(t *testing.T) {
	for _, g := range loadGolden(t).Segments {
		t.Run(g.Name, func(t *testing.T) {
			token := &AuthToken{Token: g.AuthToken.Token, SessionId: g.AuthToken.SessionID, Expiration: g.AuthToken.Expiration}
			segment := &SegData{ManifestId: []byte(g.ManifestID), Seq: g.Seq, Hash: crypto.Keccak256(), Profiles: []byte(NoProfiles), AuthToken: token}
			require.Equal(t, []byte(g.DataHash), segment.Hash)
			require.Equal(t, []byte(g.SignedMessage), SegmentMessage(segment))
			sig, err := testSigner{g.PrivateKey}.Sign(SegmentMessage(segment))
			require.NoError(t, err)
			require.Equal(t, []byte(g.Sig), sig)
			segment.Sig = sig
			header, err := EncodeHeader(segment)
			require.NoError(t, err)
			require.Equal(t, g.LivepeerSegment, header)

			decoded, err := DecodeSegmentHeader(header)
			require.NoError(t, err)
			require.NoError(t, decoded.Check())
			require.True(t, proto.Equal(segment, decoded))

			if g.ManifestID == g.AuthToken.SessionID {
				made, err := PaymentCredentials(testSigner{g.PrivateKey}, token, nil, time.Unix(token.Expiration-1, 0))
				require.NoError(t, err)
				require.True(t, proto.Equal(segment, made))
			}
		})
	}
}

func TestGoldenOrchestratorRequest(t *testing.T) {
	g := loadGolden(t).OrchestratorRequest
	require.Equal(t, g.SignedText, g.Address.Hex())
	require.Equal(t, []byte(g.Message), OrchestratorRequestMessage(g.Address))
	req, err := NewOrchestratorRequest(testSigner{g.PrivateKey})
	require.NoError(t, err)
	require.Equal(t, []byte(g.Signature), req.Sig)
	encoded, err := proto.Marshal(req)
	require.NoError(t, err)
	require.Equal(t, []byte(g.RequestProtoHex), encoded)
}
