package live_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
)

// TestWhatIsCarried: a recipient gets its price back as it stated it, with the fields that
// pmctl does not read, and the capabilities that the client asked with.
func TestWhatIsCarried(t *testing.T) {
	all, key := captures(t)
	var ask asked
	for _, c := range all {
		if c.Response.Status == 200 {
			require.NoError(t, json.Unmarshal(c.Request.Body, &ask))
		}
	}
	// 4/2 is not the fraction that 2 is; field 3 is a capability, 4 its constraint.
	price := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), 4)
	price = protowire.AppendVarint(protowire.AppendTag(price, 2, protowire.VarintType), 2)
	price = protowire.AppendVarint(protowire.AppendTag(price, 3, protowire.VarintType), 35)
	price = protowire.AppendString(protowire.AppendTag(price, 4, protowire.BytesType), "model")
	info := new(wire.OrchestratorInfo)
	require.NoError(t, proto.Unmarshal(ask.Orchestrator, info))
	info.PriceInfo = new(wire.PriceInfo)
	require.NoError(t, proto.Unmarshal(price, info.PriceInfo))
	params, err := info.Params()
	require.NoError(t, err)
	capabilities := protowire.AppendString(protowire.AppendTag(nil, 99, protowire.BytesType), "later")

	order := live.Order{Info: info, Params: params, Expiration: *params.ExpirationParams, Nonces: pm.NonceRange{First: 1, Count: 1},
		ManifestID: "m", Capabilities: capabilities}
	answer, err := order.Sign(t.Context(), key)
	require.NoError(t, err)
	payment, segment := new(wire.Payment), new(wire.SegData)
	require.NoError(t, proto.Unmarshal(answer.Payment, payment))
	require.NoError(t, proto.Unmarshal(answer.SegCreds, segment))
	carried, err := proto.Marshal(payment.ExpectedPrice)
	require.NoError(t, err)
	require.Equal(t, price, carried)
	require.Equal(t, capabilities, segment.Capabilities)
	require.Equal(t, "m", string(segment.ManifestId))
	require.NoError(t, segment.Check())
}
