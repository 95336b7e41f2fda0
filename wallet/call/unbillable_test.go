package call

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
)

// offer changes what a captured challenge offers.
func (r *replay) offer(name string, change func(*wire.OrchestratorInfo)) {
	c := r.all[name]
	var said map[string]any
	require.NoError(r.t, json.Unmarshal(c.Response.Body, &said))
	var encoded struct {
		PaymentParams []byte `json:"payment_params"`
	}
	require.NoError(r.t, json.Unmarshal(c.Response.Body, &encoded))
	info := new(wire.OrchestratorInfo)
	require.NoError(r.t, proto.Unmarshal(encoded.PaymentParams, info))
	change(info)
	var err error
	said["payment_params"], err = proto.Marshal(info)
	require.NoError(r.t, err)
	c.Response.Body, err = json.Marshal(said)
	require.NoError(r.t, err)
	r.all[name] = c
}

// TestWhatCannotBeBilled: the orchestrator is at fault, and pmctl says so in the words of a payer.
func TestWhatCannotBeBilled(t *testing.T) {
	caller, _, r, _ := captured(t)
	r.offer("fixed1: challenge", func(info *wire.OrchestratorInfo) { info.TicketParams.WinProb = nil })
	_, err := caller.Call(t.Context(), echoed(t))
	require.ErrorIs(t, err, pay.ErrMalformed)
	require.EqualError(t, err, "the recipient's answer is malformed (https://localhost:47157): tickets without an expected value cover no fee")

	r.offer("live1: challenge", func(info *wire.OrchestratorInfo) { info.PriceInfo.PricePerUnit *= 10 })
	_, err = caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/live1/session"), SessionOptions{})
	require.ErrorIs(t, err, policy.ErrUnacceptable)
	require.ErrorContains(t, err, "the fee of 48611.1111111 gwei takes 487 tickets of ~100 gwei, and a payment can have at most 100: the tickets of https://localhost:47157 are too small")
	said, _ := hint.Of(err)
	require.Equal(t, "compare them with its prices: pmctl doctor https://localhost:47157", said)

	before := &live.Session{OrchestratorAddress: [20]byte{1}, InitialPricePerUnit: 1, InitialPixelsPerUnit: 1}
	due, _, err := caller.challenged(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session"))
	require.NoError(t, err)
	_, err = caller.due(due.Challenge, 1, before, due.Bill.Fee)
	require.ErrorIs(t, err, pay.ErrMalformed)
}
