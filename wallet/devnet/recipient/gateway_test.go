package recipient_test

import (
	"math/big"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// needing sends a signed request for works.
func (p *payer) needing(service string, works ...wire.Work) (*wire.OrchestratorInfo, error) {
	p.t.Helper()
	request, err := wire.NewOrchestratorRequest(p.signer.Signer)
	require.NoError(p.t, err)
	request.Capabilities, err = wire.Needs(works)
	require.NoError(p.t, err)
	return p.askWith(p.t.Context(), service, request)
}

// A gateway of the deployed software drops an orchestrator whose answer has no address, no
// price or no good params, whose version is below the required one, or which lacks a capability
// or model that the work needs.
func TestAGatewayKeepsTheRecipient(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	p := net.newPayer(t).fund(ether, ether)
	service := net.State().Recipients[0].URL
	work := wire.Work{Pipeline: "text-to-image", Model: "local/still"}
	info, err := p.needing(service, work)
	require.NoError(t, err)

	require.Len(t, info.Address, 20)
	require.Positive(t, info.PriceInfo.PricePerUnit)
	require.Positive(t, info.PriceInfo.PixelsPerUnit)
	params, err := info.Params()
	require.NoError(t, err)
	require.NoError(t, pm.DefaultLimits().Check(params, facts(t, net, p), 1))

	var has wire.Capabilities
	require.NoError(t, proto.Unmarshal(info.Capabilities, &has))
	require.Regexp(t, `^[0-9]+\.[0-9]+\.[0-9]+$`, has.Version, "a version that can be compared")
	require.Empty(t, has.Mandatories)
	// A gateway needs for transcoding: H.264 in MPEG-TS or MP4 with any profile, storage, auth
	// tokens, signatures, and segment slicing.
	const transcoding = 1<<13 - 1 | 1<<14 | 1<<26
	require.EqualValues(t, transcoding, has.Bitstring[0]&transcoding)
	require.NotZero(t, has.Bitstring[0]&(1<<work.Capability()))
	require.Contains(t, has.Constraints.Models[work.Capability()].ByName, work.Model)
	require.True(t, has.Constraints.Models[work.Capability()].ByName[work.Model].Warm)
	require.EqualValues(t, 1, has.Capacities[work.Capability()])
}

// The price is that of the work, also in the answers to payments.
func TestThePriceIsThatOfTheWork(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	p := net.newPayer(t).fund(ether, ether)
	main := net.State().Recipients[0]
	still, live := wire.Work{Pipeline: "text-to-image", Model: "local/still"}, wire.Work{Pipeline: "live-video-to-video", Model: "noop"}

	price := func(info *wire.OrchestratorInfo) *big.Rat {
		return big.NewRat(info.PriceInfo.PricePerUnit, info.PriceInfo.PixelsPerUnit)
	}
	listed := new(big.Rat)
	for _, entry := range p.offer(main.URL).Prices() {
		if entry.Capability == still.Capability() && entry.Constraint == still.Model {
			listed.SetFrac64(entry.PricePerUnit, entry.PixelsPerUnit)
		}
	}
	info, err := p.needing(main.URL, still)
	require.NoError(t, err)
	require.Equal(t, "9001/2", price(info).RatString())
	require.Equal(t, listed, price(info))
	require.Equal(t, "1200", price(p.offer(main.URL)).RatString(), "the base price, if no work is named")
	both, err := p.needing(main.URL, still, live)
	require.NoError(t, err)
	require.Equal(t, "12801/2", price(both).RatString())
	_, err = p.needing(main.URL, wire.Work{Pipeline: "llm", Model: "m"})
	require.ErrorContains(t, err, "OrchestratorCapped")

	needs, err := wire.Needs([]wire.Work{still})
	require.NoError(t, err)
	p.capabilities = needs
	fresh := p.accepted(info, p.payment(info, 1, 1))
	require.Equal(t, price(info), price(fresh))
	fresh = p.accepted(fresh, p.payment(fresh, 1, 1))
	require.Equal(t, price(info), price(fresh))

	p.capabilities = nil
	require.Equal(t, "1200", price(p.accepted(fresh, p.payment(fresh, 1, 1))).RatString(), "a payment that needs nothing is answered for transcoding")

	p.capabilities, err = wire.Needs([]wire.Work{{Pipeline: "llm", Model: "m"}})
	require.NoError(t, err)
	info = p.offer(main.URL)
	status, text := p.pay(info, p.payment(info, 1, 1))
	require.Equal(t, http.StatusForbidden, status)
	require.Equal(t, "incompatible capabilities", text)
}

// Credit is booked under the session of the payer's own auth token, which stays the same.
func TestAPaymentKeepsItsAuthToken(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	p := net.newPayer(t).fund(ether, ether)
	main := net.State().Recipients[0]
	info := p.offer(main.URL)
	own := info.AuthToken
	for range 3 {
		info = p.accepted(info, p.payment(info, 1, 2))
		require.True(t, proto.Equal(own, info.AuthToken), "%v, then %v", own, info.AuthToken)
	}
	require.Len(t, status(t, main.StatusURL).Senders[p.signer.Address()].Manifests, 1)
	require.NotEqual(t, own.SessionId, p.offer(main.URL).AuthToken.SessionId, "another request gets another token")
}
