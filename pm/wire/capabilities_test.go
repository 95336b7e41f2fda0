package wire_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
)

// captured is the answer of a recipient with the deployed software, with its capabilities.
const captured = "0a06ffbf89ffdf021a04081b10011a04081c10011a04080210011a04081810011a04081610011a04080610011a04082010011a04082410011a04080710011a04081710011a04081110011a04081e10011a04080e10011a04081d10011a04081a10011a04080a10011a04081510011a04080010011a04081910011a04080910011a04080310011a04080b10011a04081f10011a04080c10011a04080510011a04080110011a04082210011a04080410011a04080810012209756e646566696e65642a0b0a09756e646566696e6564"

func TestCapabilitiesOfTheDeployedSoftware(t *testing.T) {
	data, err := hex.DecodeString(captured)
	require.NoError(t, err)
	var got wire.Capabilities
	require.NoError(t, proto.Unmarshal(data, &got))
	require.Empty(t, got.ProtoReflect().GetUnknown())
	require.Len(t, got.Bitstring, 1)
	for _, pipeline := range []string{"text-to-image", "image-to-image", "text-to-speech"} {
		number := wire.Work{Pipeline: pipeline}.Capability()
		require.NotZero(t, got.Bitstring[0]&(1<<number), pipeline)
		require.EqualValues(t, 1, got.Capacities[number], pipeline)
	}
	require.Equal(t, "undefined", got.Version)
	require.Equal(t, "undefined", got.Constraints.MinVersion)
	require.Empty(t, got.Works())
}

func TestWork(t *testing.T) {
	work, err := wire.ParseWork("text-to-image/ByteDance/SDXL-Lightning")
	require.NoError(t, err)
	require.Equal(t, wire.Work{Pipeline: "text-to-image", Model: "ByteDance/SDXL-Lightning"}, work)
	require.Equal(t, "text-to-image/ByteDance/SDXL-Lightning", work.String())
	for _, bad := range []string{"", "/", "text-to-image", "text-to-image/", "/model", "transcoding/x", "Text-To-Image/x"} {
		_, err := wire.ParseWork(bad)
		require.ErrorIs(t, err, wire.ErrWork, "%q", bad)
	}
	for _, name := range wire.Pipelines() {
		require.Equal(t, name, wire.PipelineName(wire.Work{Pipeline: name}.Capability()))
	}
	require.Equal(t, "capability 5", wire.PipelineName(5))
}

func TestNeeds(t *testing.T) {
	none, err := wire.Needs(nil)
	require.NoError(t, err)
	require.Nil(t, none)

	works := []wire.Work{{Pipeline: "live-video-to-video", Model: "noop"}, {Pipeline: "text-to-image", Model: "a/b"}, {Pipeline: "text-to-image", Model: "c"}}
	first, err := wire.Needs(works)
	require.NoError(t, err)
	for range 20 {
		again, err := wire.Needs(works)
		require.NoError(t, err)
		require.Equal(t, first, again, "the same bytes each time")
	}
	var got wire.Capabilities
	require.NoError(t, proto.Unmarshal(first, &got))
	require.Equal(t, works, got.Works())
	require.Equal(t, []uint64{1<<12 | 1<<27 | 1<<35}, got.Bitstring, "with that of auth tokens")

	_, err = wire.Needs([]wire.Work{{Pipeline: "nonesuch", Model: "m"}})
	require.ErrorIs(t, err, wire.ErrWork)
	_, err = wire.Needs([]wire.Work{{Pipeline: "llm"}})
	require.ErrorIs(t, err, wire.ErrWork)
}

func TestPricesOfAnAnswer(t *testing.T) {
	info := new(wire.OrchestratorInfo)
	require.Empty(t, info.Prices())
	price := &wire.CapabilityPrice{PricePerUnit: 9001, PixelsPerUnit: 2, Capability: 27, Constraint: "m"}
	require.NoError(t, info.SetExtras(&wire.OrchestratorExtras{
		Hardware:           []*wire.Hardware{{Pipeline: "text-to-image", Model: "m"}},
		CapabilitiesPrices: []*wire.CapabilityPrice{{PricePerUnit: 1}, price, {PricePerUnit: -1, PixelsPerUnit: 1}},
	}))
	data, err := proto.Marshal(info)
	require.NoError(t, err)
	again := new(wire.OrchestratorInfo)
	require.NoError(t, proto.Unmarshal(data, again))
	require.Len(t, again.Prices(), 1, "without invalid prices")
	require.True(t, proto.Equal(price, again.Prices()[0]))
	require.True(t, proto.Equal(info, again))

	info.ProtoReflect().SetUnknown([]byte{0x8a, 0x02, 0x01, 0xff}) // a price of one byte, which is none
	require.Empty(t, info.Prices())
}

func TestAddToADecodedModelWithoutNames(t *testing.T) {
	work := wire.Work{Pipeline: "text-to-image", Model: "model"}
	capabilities := &wire.Capabilities{Constraints: &wire.CapabilityConstraints{Models: map[uint32]*wire.ModelConstraints{work.Capability(): {}}}}
	require.NoError(t, capabilities.Add(work, new(wire.ModelConstraint)))
	require.Contains(t, capabilities.Constraints.Models[work.Capability()].ByName, "model")
}

func TestAnEncoderOfNoPayment(t *testing.T) {
	require.NotPanics(t, func() { _ = new(wire.PaymentEncoder).Begin(nil) })
}
