package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/pm"
)

// TestLivesBesideTheNetworksTypes registers the messages of a media node's binary: the same
// ones under the network's own package. Registering a name or a file twice in one process
// panics.
func TestLivesBesideTheNetworksTypes(t *testing.T) {
	ours := protodesc.ToFileDescriptorProto(File_pm_wire_wire_proto)
	theirs := proto.Clone(ours).(*descriptorpb.FileDescriptorProto)
	theirs.Name = proto.String("net/lp_rpc.proto")
	theirs.Package = proto.String("net")
	var rename func(messages []*descriptorpb.DescriptorProto)
	rename = func(messages []*descriptorpb.DescriptorProto) {
		for _, message := range messages {
			rename(message.NestedType) // the entries of maps
			for _, field := range message.Field {
				if field.TypeName != nil {
					field.TypeName = proto.String(strings.Replace(*field.TypeName, ".pmctl.wire.v1.", ".net.", 1))
				}
			}
		}
	}
	rename(theirs.MessageType)
	file, err := protodesc.NewFile(theirs, protoregistry.GlobalFiles)
	require.NoError(t, err)
	require.NoError(t, protoregistry.GlobalFiles.RegisterFile(file))
	for i := range file.Messages().Len() {
		require.NoError(t, protoregistry.GlobalTypes.RegisterMessage(dynamicpb.NewMessageType(file.Messages().Get(i))))
	}
	for _, name := range []protoreflect.FullName{"net.OrchestratorInfo", "pmctl.wire.v1.OrchestratorInfo"} {
		_, err := protoregistry.GlobalTypes.FindMessageByName(name)
		require.NoError(t, err, name)
	}
	// A second registration under the network's name would have panicked.
	require.Panics(t, func() { _ = protoregistry.GlobalFiles.RegisterFile(file) })
}

// TestUnknownFieldsSurvive decodes and encodes an answer with unknown fields, inside and
// outside of known messages.
func TestUnknownFieldsSurvive(t *testing.T) {
	unknown := protowire.AppendTag(nil, 33, protowire.BytesType)
	unknown = protowire.AppendBytes(unknown, []byte("storage"))
	capabilities := protowire.AppendTag(nil, 5, protowire.VarintType)
	capabilities = protowire.AppendVarint(capabilities, 7)
	info := &OrchestratorInfo{
		Transcoder:   "https://127.0.0.1:8935",
		Capabilities: append(capabilities, unknown...),
		AuthToken:    &AuthToken{Token: []byte{1}, SessionId: "s", Expiration: 5},
	}
	raw, err := proto.Marshal(info)
	require.NoError(t, err)
	raw = append(raw, unknown...)
	var back OrchestratorInfo
	require.NoError(t, proto.Unmarshal(raw, &back))
	require.Equal(t, info.Capabilities, back.Capabilities)
	again, err := proto.MarshalOptions{Deterministic: true}.Marshal(&back)
	require.NoError(t, err)
	require.Equal(t, raw, again)

	// An answer with empty capabilities differs from one without.
	info.Capabilities = []byte{}
	raw, err = proto.Marshal(info)
	require.NoError(t, err)
	back.Reset()
	require.NoError(t, proto.Unmarshal(raw, &back))
	require.NotNil(t, back.Capabilities)
}

func validParams() *TicketParams {
	return &TicketParams{
		Recipient:         bytes.Repeat([]byte{1}, 20),
		FaceValue:         []byte{2},
		WinProb:           []byte{3},
		RecipientRandHash: bytes.Repeat([]byte{4}, 32),
		Seed:              []byte{5},
		ExpirationBlock:   []byte{6},
		ExpirationParams:  &TicketExpirationParams{CreationRound: 7, CreationRoundBlockHash: bytes.Repeat([]byte{8}, 32)},
	}
}

func TestWidths(t *testing.T) {
	_, err := ToTicketParams(validParams())
	require.NoError(t, err)
	wide := bytes.Repeat([]byte{1}, 33)
	for field, spoil := range map[string]func(*TicketParams){
		"ticket_params.recipient":                                   func(p *TicketParams) { p.Recipient = p.Recipient[:19] },
		"ticket_params.face_value":                                  func(p *TicketParams) { p.FaceValue = wide },
		"ticket_params.win_prob":                                    func(p *TicketParams) { p.WinProb = wide },
		"ticket_params.recipient_rand_hash":                         func(p *TicketParams) { p.RecipientRandHash = wide },
		"ticket_params.seed":                                        func(p *TicketParams) { p.Seed = wide },
		"ticket_params.expiration_block":                            func(p *TicketParams) { p.ExpirationBlock = wide },
		"ticket_params.expiration_params.creation_round":            func(p *TicketParams) { p.ExpirationParams.CreationRound = -1 },
		"ticket_params.expiration_params.creation_round_block_hash": func(p *TicketParams) { p.ExpirationParams.CreationRoundBlockHash = wide },
	} {
		params := validParams()
		spoil(params)
		_, err := ToTicketParams(params)
		var width *FieldError
		require.ErrorAs(t, err, &width, field)
		require.Equal(t, field, width.Field)
	}
	empty := validParams()
	empty.Recipient = nil
	_, err = ToTicketParams(empty)
	require.Error(t, err)

	// Leading zeros are accepted within the width, absent integers are 0.
	params := validParams()
	params.FaceValue = common.LeftPadBytes([]byte{9}, 32)
	params.Seed = nil
	got, err := ToTicketParams(params)
	require.NoError(t, err)
	require.Equal(t, big.NewInt(9), got.FaceValue)
	require.Zero(t, got.Seed.Sign())
}

func TestMissingParts(t *testing.T) {
	full := func() *Payment {
		params := validParams()
		params.ExpirationParams = nil
		return &Payment{
			TicketParams:       params,
			Sender:             bytes.Repeat([]byte{1}, 20),
			ExpirationParams:   validParams().ExpirationParams,
			TicketSenderParams: []*TicketSenderParams{{SenderNonce: 1, Sig: make([]byte, 65)}},
			ExpectedPrice:      &PriceInfo{PricePerUnit: 1, PixelsPerUnit: 1},
		}
	}
	_, err := full().Batch()
	require.NoError(t, err)
	var missing *MissingError
	p := full()
	p.TicketParams = nil
	_, err = p.Batch()
	require.ErrorAs(t, err, &missing)
	p = full()
	p.ExpirationParams = nil
	_, err = p.Batch()
	require.ErrorAs(t, err, &missing)
	require.Equal(t, "expiration_params", missing.Field)

	var width *FieldError
	for _, spoil := range []func(*Payment){
		func(p *Payment) { p.Sender = nil },
		func(p *Payment) { p.TicketSenderParams[0].Sig = make([]byte, 64) },
		func(p *Payment) { p.TicketSenderParams[0] = nil },
		func(p *Payment) { p.ExpectedPrice.PixelsPerUnit = 0 },
		func(p *Payment) { p.ExpectedPrice.PricePerUnit = -1 },
	} {
		p := full()
		spoil(p)
		_, err := p.Batch()
		require.ErrorAs(t, err, &width)
	}

	_, err = (&OrchestratorInfo{}).Params()
	require.ErrorAs(t, err, &missing)
	_, err = PaymentFor(&pm.TicketBatch{TicketParams: &pm.TicketParams{}})
	require.ErrorAs(t, err, &missing)
	_, err = PaymentFor(nil)
	require.ErrorAs(t, err, &missing)
	_, err = PaymentFor(&pm.TicketBatch{
		TicketParams: &pm.TicketParams{}, TicketExpirationParams: &pm.TicketExpirationParams{},
		SenderParams: []*pm.TicketSenderParams{{SenderNonce: 1, Sig: []byte{1}}},
	})
	require.ErrorAs(t, err, &width)
	_, err = FromPrice(new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 63)))
	require.ErrorAs(t, err, &width)
	var tooWide *pm.FieldError
	_, err = FromTicketParams(&pm.TicketParams{FaceValue: new(big.Int).Lsh(big.NewInt(1), 256)})
	require.ErrorAs(t, err, &tooWide)
}

func TestAuthToken(t *testing.T) {
	now := time.Unix(1000, 0)
	require.NoError(t, (&AuthToken{SessionId: "s", Expiration: 1001}).Check(now))
	var expired *ExpiredTokenError
	require.ErrorAs(t, (&AuthToken{SessionId: "s", Expiration: 1000}).Check(now), &expired)
	var missing *MissingError
	require.ErrorAs(t, (*AuthToken)(nil).Check(now), &missing)
	require.ErrorAs(t, (&AuthToken{Expiration: 1001}).Check(now), &missing)
}

// TestTokensThatNoCalendarHas: a token's end is any int64 that a recipient sends, and time.Unix turns
// the highest into a time in the past.
func TestTokensThatNoCalendarHas(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for _, late := range []int64{1_700_000_001, 253_402_300_800, 1 << 60, math.MaxInt64} {
		token := &AuthToken{SessionId: "s", Expiration: late}
		require.NoError(t, token.Check(now), late)
		_, err := json.Marshal(token.Expires())
		require.NoError(t, err, late)
	}
	for _, early := range []int64{1_700_000_000, 0, -62_135_596_801, math.MinInt64} {
		token := &AuthToken{SessionId: "s", Expiration: early}
		require.ErrorAs(t, token.Check(now), new(*ExpiredTokenError), early)
		_, err := json.Marshal(token.Expires())
		require.NoError(t, err, early)
	}
}

func TestParamsRoundTrip(t *testing.T) {
	uint256 := rapid.Custom(func(t *rapid.T) *big.Int {
		return new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "bytes"))
	})
	fixed := func(n int) *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), n, n) }
	rapid.Check(t, func(t *rapid.T) {
		params := &pm.TicketParams{
			Recipient:         common.BytesToAddress(fixed(20).Draw(t, "recipient")),
			FaceValue:         uint256.Draw(t, "faceValue"),
			WinProb:           uint256.Draw(t, "winProb"),
			RecipientRandHash: common.BytesToHash(fixed(32).Draw(t, "randHash")),
			Seed:              uint256.Draw(t, "seed"),
			ExpirationBlock:   uint256.Draw(t, "expirationBlock"),
			PricePerPixel:     big.NewRat(rapid.Int64Range(0, math.MaxInt64).Draw(t, "price"), rapid.Int64Range(1, math.MaxInt64).Draw(t, "pixels")),
			ExpirationParams: &pm.TicketExpirationParams{
				CreationRound:          rapid.Int64Range(0, math.MaxInt64).Draw(t, "round"),
				CreationRoundBlockHash: common.BytesToHash(fixed(32).Draw(t, "roundHash")),
			},
		}
		wired, err := FromTicketParams(params)
		require.NoError(t, err)
		price, err := FromPrice(params.PricePerPixel)
		require.NoError(t, err)
		back, err := (&OrchestratorInfo{TicketParams: wired, PriceInfo: price}).Params()
		require.NoError(t, err)
		require.Equal(t, params.PricePerPixel.RatString(), back.PricePerPixel.RatString())
		again, err := FromTicketParams(back)
		require.NoError(t, err)
		require.True(t, proto.Equal(wired, again), "%v, %v", params, back)
	})
}

// TestErrorsSayWhatWasFound: messages have the field, its value and what is allowed.
func TestErrorsSayWhatWasFound(t *testing.T) {
	short := validParams()
	short.Recipient = short.Recipient[:19]
	_, err := ToTicketParams(short)
	require.EqualError(t, err, "ticket_params.recipient: got 19 bytes, want an address of 20 bytes")
	_, err = (&OrchestratorInfo{TicketParams: validParams(), PriceInfo: &PriceInfo{PricePerUnit: 1}}).Params()
	require.EqualError(t, err, "price_info.pixels_per_unit: got 0, want 1 or more")
	_, err = (&OrchestratorInfo{TicketParams: short}).Params()
	require.Error(t, err)
	_, err = ToPrice(&PriceInfo{PricePerUnit: -1, PixelsPerUnit: 1})
	require.EqualError(t, err, "price.price_per_unit: got -1, want 0 or more")
	_, err = (*OrchestratorInfo)(nil).Params()
	require.EqualError(t, err, "ticket_params is missing")

	batch := &pm.TicketBatch{
		TicketParams: &pm.TicketParams{}, TicketExpirationParams: &pm.TicketExpirationParams{},
		SenderParams: []*pm.TicketSenderParams{{SenderNonce: 1, Sig: make([]byte, 65)}, {SenderNonce: 2, Sig: make([]byte, 64)}},
	}
	_, err = PaymentFor(batch)
	require.EqualError(t, err, "ticket_sender_params[1].sig: got 64 bytes, want 65 bytes")
	batch.SenderParams[1] = nil
	_, err = PaymentFor(batch)
	require.EqualError(t, err, "ticket_sender_params[1] is missing")
	batch.SenderParams = nil
	batch.FaceValue = new(big.Int).Lsh(big.NewInt(1), 256)
	_, err = PaymentFor(batch)
	require.Error(t, err)
	batch.FaceValue = nil
	batch.PricePerPixel = big.NewRat(-1, 1)
	_, err = PaymentFor(batch)
	require.EqualError(t, err, "price: got -1, want 0 or more, in terms of at most 63 bits")
	batch.TicketExpirationParams, batch.PricePerPixel = nil, nil
	_, err = PaymentFor(batch)
	require.EqualError(t, err, "expiration_params is missing")
}

// TestPricesAreQuotients reads a price that is not in lowest terms.
func TestPricesAreQuotients(t *testing.T) {
	price, err := ToPrice(&PriceInfo{PricePerUnit: 6, PixelsPerUnit: 4})
	require.NoError(t, err)
	require.Equal(t, "3/2", price.RatString())
	none, err := ToPrice(nil)
	require.NoError(t, err)
	require.Zero(t, none.Sign())
	// A price of 0 is encoded with a pixel, which recipients require.
	free, err := FromPrice(nil)
	require.NoError(t, err)
	require.True(t, proto.Equal(&PriceInfo{PixelsPerUnit: 1}, free))
}

// TestHeadersHaveNoLineEnds refuses line ends inside a value: written to HTTP it would
// be two headers.
func TestHeadersHaveNoLineEnds(t *testing.T) {
	g := loadGolden(t)
	for _, end := range []string{"\r", "\n", "\r\n"} {
		for _, at := range []int{0, 20, len(g.Payments[0].Header)} {
			_, err := DecodePaymentHeader(g.Payments[0].Header[:at] + end + g.Payments[0].Header[at:])
			require.ErrorIs(t, err, ErrNotHeader, "%q at %d", end, at)
		}
		segment := g.Segments[0].LivepeerSegment
		_, err := DecodeSegmentHeader(segment[:20] + end + segment[20:])
		require.ErrorIs(t, err, ErrNotHeader)
	}
}

func TestNotHeaders(t *testing.T) {
	for _, value := range []string{"!", "AAA", "/w==", strings.Repeat("A", MaxHeader+4), "CokB"} {
		_, err := DecodePaymentHeader(value)
		require.ErrorIs(t, err, ErrNotHeader, "%.20s", value)
		_, err = DecodeSegmentHeader(value)
		require.ErrorIs(t, err, ErrNotHeader, "%.20s", value)
	}
}

// normal returns a batch with its numbers in one representation: 0 has several in memory.
func normal(b *pm.TicketBatch) *pm.TicketBatch {
	params := *b.TicketParams
	for _, number := range []**big.Int{&params.FaceValue, &params.WinProb, &params.Seed, &params.ExpirationBlock} {
		*number = new(big.Int).Set(*number)
	}
	params.PricePerPixel = new(big.Rat).SetFrac(params.PricePerPixel.Num(), params.PricePerPixel.Denom())
	c := *b
	c.TicketParams = &params
	return &c
}

func FuzzDecodePayment(f *testing.F) {
	for _, g := range loadGolden(f).Payments {
		f.Add([]byte(g.PaymentProtoHex))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		payment, err := DecodePaymentHeader(base64.StdEncoding.EncodeToString(raw))
		if err != nil {
			return
		}
		batch, err := payment.Batch()
		if err != nil {
			return
		}
		again, err := PaymentFor(batch)
		require.NoError(t, err)
		back, err := again.Batch()
		require.NoError(t, err)
		require.Equal(t, normal(batch), normal(back))
		for _, ticket := range batch.Tickets() {
			ticket.Hash()
		}
	})
}

func FuzzDecodeSegment(f *testing.F) {
	for _, g := range loadGolden(f).Segments {
		raw, err := base64.StdEncoding.DecodeString(g.LivepeerSegment)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		segment, err := DecodeSegmentHeader(base64.StdEncoding.EncodeToString(raw))
		if err != nil {
			require.ErrorIs(t, err, ErrNotHeader)
			return
		}
		require.Len(t, SegmentMessage(segment), 32)
		if segment.Check() != nil {
			return
		}
		require.Len(t, segment.Sig, sigBytes)
		_ = segment.AuthToken.Check(time.Unix(1000, 0))
		value, err := EncodeHeader(segment)
		require.NoError(t, err)
		again, err := DecodeSegmentHeader(value)
		require.NoError(t, err)
		require.True(t, proto.Equal(segment, again))
	})
}

// FuzzHeaders reads any text as a header: an accepted one is a line of base64, and is encoded
// so that it reads as the same.
func FuzzHeaders(f *testing.F) {
	g := loadGolden(f)
	for _, payment := range g.Payments {
		f.Add(payment.Header)
	}
	for _, segment := range g.Segments {
		f.Add(segment.LivepeerSegment)
		f.Add(segment.LivepeerSegment + "\r\n")
	}
	f.Fuzz(func(t *testing.T, value string) {
		taken := func(m proto.Message, err error) bool {
			if err != nil {
				require.ErrorIs(t, err, ErrNotHeader)
				return false
			}
			require.False(t, strings.ContainsAny(value, "\r\n \t"), value)
			require.LessOrEqual(t, len(value), MaxHeader)
			return true
		}
		if payment, err := DecodePaymentHeader(value); taken(payment, err) {
			written, err := EncodeHeader(payment)
			require.NoError(t, err)
			again, err := DecodePaymentHeader(written)
			require.NoError(t, err)
			require.True(t, proto.Equal(payment, again))
		}
		if segment, err := DecodeSegmentHeader(value); taken(segment, err) {
			written, err := EncodeHeader(segment)
			require.NoError(t, err)
			again, err := DecodeSegmentHeader(written)
			require.NoError(t, err)
			require.True(t, proto.Equal(segment, again))
		}
	})
}

func FuzzOrchestratorInfo(f *testing.F) {
	for _, g := range loadGolden(f).Payments {
		raw, err := base64.StdEncoding.DecodeString(g.OrchestratorInfoBase64)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		info := new(OrchestratorInfo)
		if proto.Unmarshal(raw, info) != nil {
			return
		}
		params, err := info.Params()
		if err != nil {
			return
		}
		require.NoError(t, params.CheckFields())
		params.EV()
		_ = info.AuthToken.Check(time.Unix(1000, 0))
		// A recipient's offer is encoded as it was decoded.
		wired, err := FromTicketParams(params)
		require.NoError(t, err)
		price, err := FromPrice(params.PricePerPixel)
		require.NoError(t, err)
		again, err := (&OrchestratorInfo{TicketParams: wired, PriceInfo: price}).Params()
		require.NoError(t, err)
		rewired, err := FromTicketParams(again)
		require.NoError(t, err)
		require.True(t, proto.Equal(wired, rewired))
		require.Zero(t, params.PricePerPixel.Cmp(again.PricePerPixel))
	})
}
