package live_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/signer"
)

// capture is one exchange with the deployed signer.
type capture struct {
	Name    string
	Note    string
	Request struct {
		Method, Path string
		Headers      map[string]any
		Body         json.RawMessage
	}
	Response struct {
		Status int
		Body   json.RawMessage
	}
}

// asked is the body of a request for a payment.
type asked struct {
	Orchestrator []byte         `json:"orchestrator"`
	State        live.State     `json:"state"`
	ManifestID   string         `json:"ManifestID"`
	App          string         `json:"app"`
	InPixels     int64          `json:"inPixels"`
	Type         live.Type      `json:"type"`
	MaxPrice     *live.MaxPrice `json:"maxPrice"`
	Capabilities []byte         `json:"capabilities"`
}

// captures are the requests for payments that were captured, and the key that answered them.
func captures(t testing.TB) ([]capture, signer.Source) {
	t.Helper()
	data, err := os.ReadFile("testdata/captures.json")
	require.NoError(t, err)
	var all struct {
		Signer struct {
			PrivateKey string `json:"private_key"`
		}
		Payments []capture `json:"signer_errors_and_payments"`
		Webhook  []capture `json:"auth_webhook"`
		Runner   []capture `json:"live_runner_and_discovery"`
		Gateway  []capture `json:"gateway_traffic"`
	}
	require.NoError(t, json.Unmarshal(data, &all))
	key, err := signer.RawKey([]byte(all.Signer.PrivateKey))
	require.NoError(t, err)
	t.Cleanup(key.Close)
	var found []capture
	for section, list := range map[string][]capture{"errors": all.Payments, "webhook": all.Webhook, "runner": all.Runner, "gateway": all.Gateway} {
		for i, c := range list {
			if c.Request.Method == http.MethodPost && c.Request.Path == "/generate-live-payment" {
				c.Name = fmt.Sprintf("%s %d %s", section, i, c.Name)
				found = append(found, c)
			}
		}
	}
	require.NotEmpty(t, found)
	return found, key
}

// TestCapturedPayments: what the deployed signer answered is made again, byte for byte, from
// its requests, its clock and the ids that it drew.
func TestCapturedPayments(t *testing.T) {
	all, key := captures(t)
	var same int
	for _, c := range all {
		if c.Response.Status != 200 {
			continue
		}
		same++
		t.Run(c.Name, func(t *testing.T) {
			var ask asked
			require.NoError(t, json.Unmarshal(c.Request.Body, &ask))
			var want live.Answer
			require.NoError(t, json.Unmarshal(c.Response.Body, &want))
			signed, err := want.State.Verify(key.Address())
			require.NoError(t, err)

			info := new(wire.OrchestratorInfo)
			require.NoError(t, proto.Unmarshal(ask.Orchestrator, info))
			params, err := info.Params()
			require.NoError(t, err)
			var before *live.Session
			var used uint32
			if !ask.State.IsZero() {
				before, err = ask.State.Verify(key.Address())
				require.NoError(t, err)
				if before.PMSessionID == params.RecipientRandHash {
					used = before.SenderNonce
				}
			}
			request := ask.request(info, params, signed.LastUpdate)
			bill, err := request.Bill(before)
			require.NoError(t, err)
			auth := live.Auth{ID: signed.AuthID, Expiry: signed.AuthExpiry}
			next, err := before.Next(request, bill, signed.StateID, params.RecipientRandHash, used+bill.Tickets, auth)
			require.NoError(t, err)

			state, err := next.Encode()
			require.NoError(t, err)
			order := live.Order{
				Info: info, Params: params, Expiration: *params.ExpirationParams, Nonces: pm.NonceRange{First: used + 1, Count: bill.Tickets},
				ManifestID: ask.ManifestID, Capabilities: ask.Capabilities, State: state,
			}
			if order.ManifestID == "" {
				segment := new(wire.SegData)
				require.NoError(t, proto.Unmarshal(want.SegCreds, segment))
				order.ManifestID = string(segment.ManifestId) // the one that was made up
			}
			got, err := order.Sign(t.Context(), key)
			require.NoError(t, err)
			require.Equal(t, string(want.State.State), string(got.State.State))
			require.Equal(t, want, *got)
			again, err := json.Marshal(got)
			require.NoError(t, err)
			require.JSONEq(t, string(c.Response.Body), string(again))
		})
	}
	require.GreaterOrEqual(t, same, 18)
}

// request is what the accounting takes of a request, at a time.
func (a asked) request(info *wire.OrchestratorInfo, params *pm.TicketParams, at time.Time) live.Request {
	return live.Request{
		Orchestrator: common.BytesToAddress(info.Address), App: a.App, Type: a.Type, InPixels: a.InPixels,
		Price:    live.Price{PerUnit: info.PriceInfo.PricePerUnit, Pixels: info.PriceInfo.PixelsPerUnit},
		TicketEV: params.EV(), At: at,
	}
}

// TestCapturedRefusals: what the deployed signer refused for what the request says is refused
// with the same status and the same words.
func TestCapturedRefusals(t *testing.T) {
	all, key := captures(t)
	var same int
	for _, c := range all {
		var want struct{ Error struct{ Message string } }
		var ask asked
		if c.Response.Status == 200 || json.Unmarshal(c.Request.Body, &ask) != nil {
			continue
		}
		require.NoError(t, json.Unmarshal(c.Response.Body, &want))
		refusal := refuse(t, ask, c.Request.Headers["Signer-Auth-Id"], key.Address())
		if refusal == nil {
			continue // it depends on more than the request
		}
		same++
		require.Equal(t, want.Error.Message, refusal.Error(), c.Name)
		require.Equal(t, c.Response.Status, refusal.Status(), c.Name)
	}
	require.GreaterOrEqual(t, same, 11)
}

// refuse applies the rules of this package to a request, in the protocol's order.
func refuse(t *testing.T, ask asked, authID any, sender common.Address) (refusal live.Refusal) {
	t.Helper()
	err := func() error {
		if len(ask.Orchestrator) == 0 {
			return live.ErrNoOrchestrator
		}
		info := new(wire.OrchestratorInfo)
		require.NoError(t, proto.Unmarshal(ask.Orchestrator, info))
		params, err := info.Params()
		require.NoError(t, err)
		at := time.Unix(info.AuthToken.Expiration, 0).Add(-20 * time.Minute)
		request := ask.request(info, params, at)
		var session *live.Session
		if !ask.State.IsZero() {
			if session, err = ask.State.Verify(sender); err != nil {
				return err
			}
			if err := session.Accept(request); err != nil {
				return err
			}
			if ask.ManifestID == "" {
				return live.ErrNoManifest
			}
		}
		if err := live.CheckToken(info.AuthToken, at); err != nil {
			return err
		}
		if ask.MaxPrice != nil {
			ceiling, err := ask.MaxPrice.Ceiling(ask.Type, live.Requested)
			if err != nil {
				return err
			}
			request.Ceilings = append(request.Ceilings, ceiling)
		}
		bill, err := request.Bill(session)
		if err != nil {
			return err
		}
		id, _ := authID.(string)
		_, err = session.Next(request, bill, "", params.RecipientRandHash, bill.Tickets, live.Auth{ID: id})
		return err
	}()
	if err != nil {
		require.ErrorAs(t, err, &refusal)
	}
	return refusal
}
