package format

import (
	"bytes"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

func bytesOf(n int) *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), n, n) }

// uints are integers of 0 to 32 bytes without leading zeros, as they travel.
var uints = rapid.Custom(func(t *rapid.T) []byte {
	return bytes.TrimLeft(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "uint"), "\x00")
})

// unknowns are fields of numbers that no message here has.
var unknowns = rapid.Custom(func(t *rapid.T) []byte {
	var b []byte
	for range rapid.IntRange(0, 3).Draw(t, "unknown fields") {
		b = protowire.AppendTag(b, protowire.Number(rapid.IntRange(100, 1<<29-1).Draw(t, "number")), protowire.BytesType)
		b = protowire.AppendBytes(b, rapid.SliceOf(rapid.Byte()).Draw(t, "value"))
	}
	return b
})

var infos = rapid.Custom(func(t *rapid.T) *wire.OrchestratorInfo {
	with := func(m proto.Message) {
		m.ProtoReflect().SetUnknown(unknowns.Draw(t, "unknown"))
	}
	info := &wire.OrchestratorInfo{
		Transcoder: rapid.String().Draw(t, "transcoder"),
		TicketParams: &wire.TicketParams{
			Recipient:         bytesOf(20).Draw(t, "recipient"),
			FaceValue:         uints.Draw(t, "face value"),
			WinProb:           uints.Draw(t, "win prob"),
			RecipientRandHash: bytesOf(32).Draw(t, "rand hash"),
			Seed:              uints.Draw(t, "seed"),
			ExpirationBlock:   uints.Draw(t, "expiration block"),
		},
	}
	with(info)
	with(info.TicketParams)
	if rapid.Bool().Draw(t, "with a round") {
		info.TicketParams.ExpirationParams = &wire.TicketExpirationParams{
			CreationRound:          rapid.Int64Min(0).Draw(t, "round"),
			CreationRoundBlockHash: bytesOf(32).Draw(t, "block hash"),
		}
		with(info.TicketParams.ExpirationParams)
	}
	if rapid.Bool().Draw(t, "with a price") {
		info.PriceInfo = &wire.PriceInfo{
			PricePerUnit:  rapid.Int64Min(0).Draw(t, "price"),
			PixelsPerUnit: rapid.Int64Min(1).Draw(t, "pixels"),
		}
		with(info.PriceInfo)
	}
	if rapid.Bool().Draw(t, "with an address") {
		info.Address = bytesOf(20).Draw(t, "address")
	}
	if rapid.Bool().Draw(t, "with capabilities") {
		info.Capabilities = rapid.SliceOf(rapid.Byte()).Draw(t, "capabilities")
	}
	if rapid.Bool().Draw(t, "with a token") {
		info.AuthToken = &wire.AuthToken{
			Token:      rapid.SliceOf(rapid.Byte()).Draw(t, "token"),
			SessionId:  rapid.String().Draw(t, "session"),
			Expiration: rapid.Int64().Draw(t, "expiration"),
		}
		with(info.AuthToken)
	}
	return info
})

func TestParamsComeBackByteForByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		info := infos.Draw(t, "info")
		sender := common.Address(bytesOf(20).Draw(t, "sender"))
		url, store := rapid.String().Draw(t, "url"), rapid.String().Draw(t, "store")
		now := time.Unix(rapid.Int64Range(0, 1<<37).Draw(t, "now"), 0)

		p, err := ParamsFromInfo(info, sender, url, store, now)
		require.NoError(t, err)
		var text bytes.Buffer
		require.NoError(t, Write(&text, KindParams, p))
		read, err := ReadParams(&text)
		require.NoError(t, err)
		require.Equal(t, p, read)
		require.Equal(t, sender, common.Address(read.Sender))
		require.Equal(t, []string{url, store}, []string{read.URL, read.StoreID})
		require.True(t, now.Equal(read.FetchedAt))

		back, err := read.Info()
		require.NoError(t, err)
		marshal := proto.MarshalOptions{Deterministic: true}
		want, err := marshal.Marshal(info)
		require.NoError(t, err)
		got, err := marshal.Marshal(back)
		require.NoError(t, err)
		require.Equal(t, want, got)

		wantParams, err := info.Params()
		require.NoError(t, err)
		gotParams, err := read.TicketParams()
		require.NoError(t, err)
		require.Equal(t, wantParams, gotParams)
	})
}

func TestBatchesComeBack(t *testing.T) {
	segments := loadGolden(t).Segments
	rapid.Check(t, func(t *rapid.T) {
		info := infos.Draw(t, "info")
		params, err := info.Params()
		require.NoError(t, err)
		expiration := pm.TicketExpirationParams{
			CreationRound:          rapid.Int64Min(0).Draw(t, "round"),
			CreationRoundBlockHash: common.Hash(bytesOf(32).Draw(t, "block hash")),
		}
		sender := common.Address(bytesOf(20).Draw(t, "sender"))
		count := rapid.Uint32Range(0, 5).Draw(t, "count")
		first := rapid.Uint32Range(1, math.MaxUint32-5).Draw(t, "first")
		h, err := NewBatchHeader(sender, params, expiration, pm.NonceRange{First: first, Count: count})
		require.NoError(t, err)
		h.Segment = segments[0].LivepeerSegment

		withRound := *params
		withRound.ExpirationParams = &expiration
		want := &pm.TicketBatch{TicketParams: &withRound, TicketExpirationParams: &expiration, Sender: sender, SenderParams: []*pm.TicketSenderParams{}}
		for i := range count {
			want.SenderParams = append(want.SenderParams, &pm.TicketSenderParams{SenderNonce: first + i, Sig: bytesOf(65).Draw(t, "sig")})
		}
		for _, format := range formats() {
			var out bytes.Buffer
			w, err := NewBatchWriter(&out, format)
			require.NoError(t, err)
			require.NoError(t, w.Begin(h))
			for _, sp := range want.SenderParams {
				require.NoError(t, w.Ticket(*sp))
			}
			require.NoError(t, w.End())
			d, err := Decode(&out)
			require.NoError(t, err, format)
			require.Equal(t, format, d.Form)
			require.Zero(t, want.PricePerPixel.Cmp(d.Batch.PricePerPixel))
			d.Batch.PricePerPixel = want.PricePerPixel // 0 has two representations
			require.Equal(t, want, d.Batch)
			require.Equal(t, want.EV().String(), d.Header.TicketEVExact.String())
			if format == JSON || format == NDJSON {
				require.Equal(t, h, d.Header)
			}
		}
	})
}

func TestParamsFromInfoRefuses(t *testing.T) {
	from := func(spoil func(*wire.OrchestratorInfo)) error {
		info := loadGolden(t).Payments[0].info(t)
		spoil(info)
		_, err := ParamsFromInfo(info, common.Address{}, "", "", time.Unix(0, 0))
		return err
	}
	require.NoError(t, from(func(*wire.OrchestratorInfo) {}))
	for name, spoil := range map[string]func(*wire.OrchestratorInfo){
		"33 bytes":        func(i *wire.OrchestratorInfo) { i.TicketParams.WinProb = make([]byte, 33) },
		"a short address": func(i *wire.OrchestratorInfo) { i.TicketParams.Recipient = make([]byte, 19) },
		"a short key":     func(i *wire.OrchestratorInfo) { i.Address = make([]byte, 19) },
		"no pixels":       func(i *wire.OrchestratorInfo) { i.PriceInfo.PixelsPerUnit = 0 },
		"no UTF-8":        func(i *wire.OrchestratorInfo) { i.AuthToken.SessionId = "\xff" },
		"half a field":    func(i *wire.OrchestratorInfo) { i.ProtoReflect().SetUnknown([]byte{0xff}) },
	} {
		var field *wire.FieldError
		require.ErrorAs(t, from(spoil), &field, name)
	}
	var missing *wire.MissingError
	require.ErrorAs(t, from(func(i *wire.OrchestratorInfo) { i.TicketParams = nil }), &missing)
	_, err := ParamsFromInfo(nil, common.Address{}, "", "", time.Unix(0, 0))
	require.ErrorAs(t, err, &missing)

	_, err = NewBatchHeader(common.Address{}, &pm.TicketParams{FaceValue: new(big.Int).Lsh(big.NewInt(1), 256)}, pm.TicketExpirationParams{}, pm.NonceRange{})
	var number *pm.FieldError
	require.ErrorAs(t, err, &number)
	_, err = NewBatchHeader(common.Address{}, nil, pm.TicketExpirationParams{}, pm.NonceRange{})
	require.Error(t, err)
}
