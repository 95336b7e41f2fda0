package remote_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/remote/identity"
)

// fuzzed is a signer that answers requests for payments made by a fuzzer. Its clock stands still:
// later the captured offers would have expired.
type fuzzed struct {
	*world
	good capture
}

func newFuzzed(f *testing.F) (*fuzzed, []capture) {
	list, key := captured(f, "signer_errors_and_payments")
	z := &fuzzed{world: newWorld(f, key, 100, identity.None{}, nil, nil), good: named(f, list, "inPixels, no type")}
	z.rates.PerSecond = 0 // without a bound
	if status, body := z.post(z.good.Request.Body, ""); status != http.StatusOK {
		f.Fatalf("the seed is refused: %d %s", status, body)
	}
	return z, list
}

// post sends a body. The exchange is held to the description of the API, but for a key's: a request
// that is repeated under its key is answered again whatever else is in it.
func (z *fuzzed) post(body []byte, key string) (int, []byte) {
	z.log.Reset()
	r := httptest.NewRequest(http.MethodPost, "/generate-live-payment", bytes.NewReader(body))
	r.Header.Set("Idempotency-Key", key)
	answer := httptest.NewRecorder()
	if key == "" {
		z.server.Config.Handler.ServeHTTP(answer, r)
	} else {
		z.handler.ServeHTTP(answer, r)
	}
	return answer.Code, answer.Body.Bytes()
}

// check posts a body: its answer is one of the protocol, a payment is answered again with the
// same bytes, and a refusal records nothing.
func (z *fuzzed) check(t *testing.T, body []byte, key string) {
	before := z.payments(t)
	status, answer := z.post(body, key)
	var document struct {
		Payment []byte
		Error   struct{ Message string }
	}
	if err := json.Unmarshal(answer, &document); err != nil {
		t.Fatalf("%d %s: %v", status, answer, err)
	}
	switch status {
	case http.StatusOK:
		if len(document.Payment) == 0 {
			t.Fatal("200 without a payment")
		}
		if key == "" {
			return
		}
		if again, same := z.post(body, key); again != status || !bytes.Equal(answer, same) {
			t.Fatalf("the same request again: %d %s\nand not %s", again, same, answer)
		}
	case http.StatusBadRequest, http.StatusUnprocessableEntity, live.StatusRefresh, live.StatusPrice, live.StatusNoTickets:
		if document.Error.Message == "" {
			t.Fatalf("%d without a reason", status)
		}
		if after := z.payments(t); after != before {
			t.Fatalf("%d %s, and %d payments are recorded instead of %d", status, answer, after, before)
		}
	default:
		t.Fatalf("%d %s", status, answer)
	}
}

func (z *fuzzed) payments(t *testing.T) int64 {
	list, err := z.store.LiveUsage().Sessions(t.Context(), z.now.AddDate(-1, 0, 0), 1)
	if err != nil || len(list) == 0 {
		t.Fatal("no payment is recorded", err)
	}
	newest, err := z.store.LiveUsage().After(t.Context(), list[0].Last.Position, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return list[0].Last.Position + int64(len(newest))
}

// FuzzGenerateLivePayment: any body gets an answer of the protocol.
func FuzzGenerateLivePayment(f *testing.F) {
	z, list := newFuzzed(f)
	for _, c := range list {
		if len(c.Request.Body) > 0 {
			f.Add([]byte(c.Request.Body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) { z.check(t, body, "") })
}

// FuzzPaymentFields changes the fields of a request that is good, and those of its offer: most
// of them get beyond the decoders.
func FuzzPaymentFields(f *testing.F) {
	z, _ := newFuzzed(f)
	var good struct{ Orchestrator []byte }
	info := new(wire.OrchestratorInfo)
	if err := json.Unmarshal(z.good.Request.Body, &good); err != nil {
		f.Fatal(err)
	}
	if err := proto.Unmarshal(good.Orchestrator, info); err != nil {
		f.Fatal(err)
	}
	_, begun := z.post(z.good.Request.Body, "")
	var first payment
	if err := json.Unmarshal(begun, &first); err != nil {
		f.Fatal(err)
	}
	p, price := info.TicketParams, info.PriceInfo
	for _, kind := range []string{"", "live", "lv2v", "fixed"} {
		for _, edited := range []int{-1, 0, 7} {
			f.Add(p.Recipient, p.FaceValue, p.WinProb, p.RecipientRandHash, p.Seed, p.ExpirationBlock, price.PricePerUnit, price.PixelsPerUnit,
				info.AuthToken.Expiration, kind, int64(5), "m", "", `{"price":"1.5","currency":"wei","unit":"seconds"}`, []byte(nil), edited, "key")
		}
	}
	f.Fuzz(func(t *testing.T, recipient, faceValue, winProb, hash, seed, expiration []byte, perUnit, pixels, token int64, kind string, units int64,
		manifest, app, maxPrice string, capabilities []byte, edited int, key string,
	) {
		offer := proto.CloneOf(info)
		offer.TicketParams = &wire.TicketParams{
			Recipient: recipient, FaceValue: faceValue, WinProb: winProb, RecipientRandHash: hash, Seed: seed, ExpirationBlock: expiration,
			ExpirationParams: p.ExpirationParams,
		}
		offer.PriceInfo.PricePerUnit, offer.PriceInfo.PixelsPerUnit, offer.AuthToken.Expiration = perUnit, pixels, token
		raw, err := proto.Marshal(offer)
		if err != nil {
			t.Skip()
		}
		fields := map[string]any{"orchestrator": raw, "type": kind, "inPixels": units, "ManifestID": manifest, "app": app, "capabilities": capabilities}
		if json.Valid([]byte(maxPrice)) {
			fields["maxPrice"] = json.RawMessage(maxPrice)
		}
		if edited >= 0 { // with the state of a payment, of which one byte may be another
			state := live.State{State: bytes.Clone(first.State.State), Sig: first.State.Sig}
			state.State[edited%len(state.State)] ^= byte(edited)
			fields["state"] = state
		}
		body, err := json.Marshal(fields)
		if err != nil {
			t.Skip()
		}
		z.check(t, body, key)
	})
}
