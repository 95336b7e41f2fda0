package call

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/pay"
)

// TestASessionThatCannotBePaid further is not begun.
func TestASessionThatCannotBePaid(t *testing.T) {
	caller, account, r, clock := captured(t)
	caller.After = clock.Past
	c := r.all["lv1: challenge"]
	var said map[string]any
	require.NoError(t, json.Unmarshal(c.Response.Body, &said))
	delete(said, "payment_url")
	var err error
	c.Response.Body, err = json.Marshal(said)
	require.NoError(t, err)
	r.all["lv1: challenge"] = c
	result, err := caller.Hold(t.Context(), request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session"), SessionOptions{For: time.Second})
	require.ErrorIs(t, err, pay.ErrMalformed)
	require.Nil(t, result)
	require.Equal(t, []string{"lv1: challenge"}, r.seen)
	pinned, err := account.Pins.Known.Recipient(t.Context(), account.Sender(), "https://localhost:47157")
	require.NoError(t, err)
	require.Zero(t, pinned, "nothing was reserved")
}

// TestTicketParamsOfAnotherSession pay for none: tickets would be booked there.
func TestTicketParamsOfAnotherSession(t *testing.T) {
	caller, _, r, clock := captured(t)
	origin := request(t, http.MethodPost, "https://localhost:47157/apps/lv1/session").Target.Origin
	read := func(name string) *Challenge {
		c, err := readChallenge(r.all[name].Response.Body, origin, caller.Purse.Sender(), clock.Now())
		require.NoError(t, err)
		return c
	}
	ours, other := read("lv1: challenge"), read("live1: challenge")
	require.NotEqual(t, ours.ManifestID, other.ManifestID)
	h := &held{Caller: caller, challenge: ours}
	refreshed := r.all["lv1: refresh-payment"]
	refreshed.Response.Body = r.all["live1: challenge"].Response.Body
	r.all["lv1: refresh-payment"] = refreshed
	_, err := h.refresh(t.Context())
	require.ErrorIs(t, err, pay.ErrMalformed)

	answer, err := proto.Marshal(&wire.PaymentResult{Info: other.Offer.Info})
	require.NoError(t, err)
	next, err := h.offered(&Payment{Challenge: ours}, answer)
	require.NoError(t, err)
	require.Nil(t, next)
}
